"""Tricks that once worked, or might: each template here does nothing but what its author can see."""

from __future__ import annotations

import pytest

from avisa.ports import RenderedMessage
from avisa.templates.compile_folder import compile_folder
from avisa.templates.renderer import fill
from tests.templates.harness import catalog_of, compiled, files, mailed, read_plan
from tests.templates.test_limits import KNOWN


def written(body: str, **order: object) -> RenderedMessage:
    made, problems = compiled(body)
    assert made is not None, problems
    rendered = fill(made, {**KNOWN, "order": {"id": "A", "number": "1", **order}})
    assert isinstance(rendered, RenderedMessage), rendered
    return rendered


@pytest.mark.parametrize(
    "body",
    [
        "{{ order.number }} &#xE000;0&#xE001;",
        "&#57344;999&#57345;",
        "&#5734{# #}4;0&#57345;",
        "[x](https://x.example/&#xE000;0&#xE001;)",
        "x \x1e y",
        "{% if order.a %}{{ '\\x1e' }}{% endif %}",
        "{% if order.a %}{{ order.a | default('\\ud800') }}{% endif %}",
        "{{ order.a | default('\\ue0000\\ue001') }}",
        "{% if order.a == '\\x00' %}x{% endif %}",
        "{% if order.a %}{% if order.a > 1e999 %}x{% endif %}{% endif %}",
        "{% if order.a == " + "9" * 4_000 + " %}x{% endif %}",
        "{% for loop in order.x %}x{% endfor %}",
        "{% for self in order.x %}x{% endfor %}",
        "x \x00 y",
        "[x]()",
        "[<a@b.example>](https://x.example/{{ order.number }})",
        "[{% for a in order.items %}<https://b.example/>{% endfor %}]({{ order.url }})",
        "[x](https://x.example '{{ order.number }}')",
        "[x](https://x.example '{% if reason %}y{% endif %}')",
    ],
)
def test_placeholders_can_be_neither_forged_nor_lost(body: str) -> None:
    made, problems = compiled(body)
    assert made is None
    assert any(problem.severity == "error" for problem in problems)


@pytest.mark.parametrize(
    ("said", "fine"),
    [
        ("{{ (not order.a or next_step) | capitalize }}", False),
        ("{{ order.a or next_step }}", False),
        ("{{ next_step and order.number }}", False),
        ("{{ next_step or order.number }}", True),
        ("{{ order.number and order.id }}", True),
        ("{% if order.a or next_step %}x{% endif %}", True),
        ("{% if next_step %}{{ order.a or next_step }}{% endif %}", True),
    ],
)
def test_a_condition_with_and_or_or_shows_which_values_are_there(said: str, fine: bool) -> None:
    """Found by the fuzzer: it was taken to ask, and could not be said."""
    made, problems = compiled(said)
    assert (made is not None) is fine, problems


def test_no_more_problems_are_told_than_anybody_reads() -> None:
    _, problems = compiled("{{ custmer.name }}\n" * 300)
    assert len(problems) == 30


def test_what_looks_like_a_comment_around_a_value_is_text() -> None:
    rendered = written("a <!--{{ order.number }}--> b")
    assert rendered.text.startswith("a <!--1--> b\n")
    assert "a &lt;!--1--&gt; b" in rendered.html


WEIRD = ["5 kg", "", 7, 7.5, True, None, [], ["a"], {}, {"a": 1}, "1e999", "x" * 5_000, 2**70]


@pytest.mark.parametrize("value", WEIRD)
@pytest.mark.parametrize(
    "body",
    [
        "x{% if order.v and order.v > 5 %}y{% endif %}",
        "x{% if order.v and 5 <= order.v < order.number %}y{% endif %}",
        "x{% if order.v == order.w %}y{% endif %}{% if order.v != order.w %}z{% endif %}",
        "x{{ order.v | default('z') | join(5) }}",
        "x{% if order.v %}{{ order.v | join(order.v) }}{% endif %}",
        "x{% if order.v %}{{ order.v }}{{ order.v | upper | trim }}{{ order.v | money(order.v) }}{% endif %}",
        "x{% for a in order.v %}{{ a.b | default(a) }}{% endfor %}",
        "x [a](https://x.example/{{ order.v | default('') }}) [b]({{ order.v | default('') }})",
    ],
)
def test_a_value_of_any_kind_can_be_told(body: str, value: object) -> None:
    assert written(body, v=value, w=value).text.startswith("x")


@pytest.mark.parametrize(
    ("left", "right", "greater"),
    [
        ("129.90", 100, True),
        (7, "7.5", False),
        ("9", "10", False),
        ("b", "a", True),
        ("5 kg", 1, False),
        ([], 1, False),
    ],
)
def test_amounts_are_compared_as_amounts(left: object, right: object, greater: bool) -> None:
    rendered = written(
        "{% if order.a and order.a > order.b | default(0) %}yes{% else %}no{% endif %}", a=left, b=right
    )
    assert rendered.text.startswith("yes" if greater else "no")


def test_an_object_says_nothing_and_a_list_what_it_holds() -> None:
    rendered = written(
        "{{ order.a | default('') }}.\n\n{{ order.b | default('') }}.", a={"secret": 1}, b=["x", 2, {"y": 3}]
    )
    assert rendered.text.startswith(".\n\nx, 2.\n")


@pytest.mark.parametrize(
    ("file", "added"),
    [
        ("layout/layout.html", "{{ " + "(" * 3_000 + "1" + ")" * 3_000 + " }}"),
        ("layout/layout.txt", "{% if " + "not " * 5_000 + "url %}x{% endif %}"),
        ("layout/words.yaml", "\nzz: " + "[" * 5_000),
        ("layout/layout.html", "{{ content }}" * 500),
        ("layout/layout.html", "<style>/*{{ subject }}*/</style>"),
    ],
)
def test_a_hostile_layout_is_refused_with_a_reason(file: str, added: str) -> None:
    folder = files()
    plan = read_plan(folder["plan.yaml"])
    folder[file] = (
        folder[file].replace("</body>", f"{added}</body>") if "</body>" in folder[file] else folder[file] + added
    )
    renderer, problems = compile_folder(folder, plan)
    assert renderer is None
    assert any(problem.severity == "error" for problem in problems)


def test_a_mark_that_is_spelt_out_in_a_layout_stays_what_it_is() -> None:
    folder = files()
    folder["layout/layout.html"] = folder["layout/layout.html"].replace("</body>", "&#xE000;0&#xE001;</body>")
    assert "&#xE000;0&#xE001;</body>" in mailed(catalog_of(folder))[0].html
