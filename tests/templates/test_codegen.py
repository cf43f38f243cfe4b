"""The second wall: whatever the inspector might let through, a program reaches nothing but its values and filters."""

from __future__ import annotations

import quopri
from collections.abc import Mapping
from typing import Any

import pytest
from jinja2 import Environment, nodes
from jinja2.exceptions import UndefinedError

from avisa.templates.jinja.codegen import Program, generate
from avisa.templates.jinja.filling import Filling
from avisa.templates.jinja.filters import functions
from avisa.templates.jinja.formats import formats_of

FUNCTIONS = functions({"confirmed": "Confirmed"})


def program(plain: str, html: str = "") -> Program:
    """As Jinja reads it, without a look at what it holds."""
    return generate(woven(plain), woven(html), file="f", functions=FUNCTIONS)


def woven(text: str) -> list[nodes.Node]:
    """Each output for itself, as `marks` weaves them."""
    body: list[nodes.Node] = []
    for node in Environment().parse(text).body:
        if isinstance(node, nodes.Output):
            body += [nodes.Output([part], lineno=part.lineno) for part in node.nodes]
        else:
            body.append(node)
    return body


def said(text: str, **values: Any) -> str:
    plain, html = filled(program(text, text), values)
    assert plain == html
    return plain


def filled(made: Program, values: Mapping[str, Any]) -> tuple[str, str]:
    """Both texts, the HTML read back."""
    plain, quoted_html = made.fill(values, Filling(formats=formats_of("en")))
    return plain, quopri.decodestring(quoted_html).decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("text", "values", "told"),
    [
        ("a{{ x }}b", {"x": 1}, "a1b"),
        ("{{ x.y.z }} {{ x.y.z }}", {"x": {"y": {"z": "deep"}}}, "deep deep"),
        ("{% if x %}1{% elif y %}2{% else %}3{% endif %}", {"y": True}, "2"),
        ("{% if x %}{% else %}3{% endif %}", {}, "3"),
        ("{% for a in x %}{{ a }},{% else %}none{% endfor %}", {"x": [1, 2]}, "1,2,"),
        ("{% for a in x %}{{ a }},{% else %}none{% endfor %}", {"x": []}, "none"),
        ("{% for a in x %}{{ a }},{% else %}none{% endfor %}", {}, "none"),
        ("{% for a in x %}{% for a in a.y %}{{ a.z }}{% endfor %}{{ a.z }}{% endfor %}{% if a %}!{% endif %}",
         {"x": [{"z": "out", "y": [{"z": "in"}]}]}, "inout"),
        ("{% for a in x %}{% if a.n %}{{ a.n }}{% endif %}{% endfor %}", {"x": [{"n": 1}, 2, "n", [], {}]}, "1"),
        ("{% with b = x.y %}{{ b.z }}{% with b = b.z %}{{ b }}{% endwith %}{{ b.z }}{% endwith %}",
         {"x": {"y": {"z": 5}}}, "555"),
        ("{{ 'y' if x == 1 and not z else 'n' }}{{ x != 1 or z }}", {"x": 1, "z": ""}, "y"),
        ("{{ x | upper | lower }}{{ n | default('-') }}", {"x": "Ab"}, "ab-"),
        ("{% if x.a.b.c %}1{% elif x.upper %}2{% elif y.keys %}3{% endif %}", {"x": "s", "y": {}}, ""),
        ("{{ values }}{{ plain }}{{ v1 }}{{ budget }}", {"values": 1, "plain": 2, "v1": 3, "budget": 4}, "1234"),
        ("{{ é }}{{ ℌ }}", {"é": 1, "ℌ": 2}, "12"),
        ("{{ x | _stage }}, {{ y | _stage }}", {"x": "confirmed", "y": "at_evil.com"}, "Confirmed, At evil. com"),
        ("{{ x.n }}{% for a in y %}{{ x.n }}{{ a }}{{ a }}{% endfor %}{{ x.n }}", {"x": {"n": "é."}, "y": [1, ""]},
         "é.é.11é.é."),
        ("{% if x %}{{ x.n }}{% endif %}{{ y }}{% if x %}{{ x.n }}{% endif %}", {"y": 1}, "1"),
        ("{% for x in y %}{{ x }}{% for x in y %}{{ x }}{% endfor %}{% endfor %}{{ x }}", {"x": 0, "y": [1, 2]},
         "1122120"),
    ],
)  # fmt: skip
def test_a_program_writes_what_jinja_would(text: str, values: Mapping[str, Any], told: str) -> None:
    assert said(text, **values) == told


def test_values_are_escaped_in_html_and_not_in_text() -> None:
    plain, html = filled(program("{{ x }} <b>", "{{ x }} <b>"), {"x": "<i> & \"'"})
    assert plain == "<i> & \"' <b>"
    assert html == "&lt;i&gt; &amp; &quot;&#x27; <b>"


@pytest.mark.parametrize(
    "text", ["{{ x }}", "{{ x.y }}", "{{ y.z }}", "{{ y.z.z }}", "{% for a in l %}{{ a.b }}{% endfor %}"]
)
def test_what_is_missing_cannot_be_said(text: str) -> None:
    with pytest.raises(UndefinedError):
        program(text).fill({"y": {}, "l": [{}]}, Filling(formats=formats_of("en")))


@pytest.mark.parametrize(
    "text",
    [
        "{{ f() }}",
        "{{ x['__class__'] }}",
        "{{ x + 1 }}",
        "{{ -x }}",
        "{{ x ~ y }}",
        "{{ 'a'.join }}",
        "{{ (x or y).z }}",
        "{{ [x] }}",
        "{{ {'a': x} }}",
        "{{ (x, y) }}",
        "{{ x is defined }}",
        "{{ x in y }}",
        "{{ x < y }}",
        "{{ 1 == x == 1 }}",
        "{{ x | attr('y') }}",
        "{{ x | map('upper') }}",
        "{{ 'a' if x }}",
        "{% set x = 1 %}",
        "{% macro m() %}{% endmacro %}",
        "{% for a, b in x %}{% endfor %}",
        "{% for a in x if a %}{% endfor %}",
        "{% for a in x recursive %}{% endfor %}",
        "{{ x | join(between=y) }}",
        "{{ x | join(*y) }}",
        "{{ x | join(**y) }}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% block b %}{% endblock %}",
        "{% filter upper %}{% endfilter %}",
    ],
)
def test_a_construct_that_was_not_checked_becomes_no_program(text: str) -> None:
    with pytest.raises(TypeError, match="was not checked"):
        program(text)


@pytest.mark.parametrize(
    "name", ["str", "write", "escape", "each", "counted", "part", "dict", "f_upper", "__builtins__"]
)
def test_functions_of_a_program_are_no_values(name: str) -> None:
    assert said(f"{{% if {name} %}}there{{% endif %}}") == ""


def test_a_program_has_no_builtins_and_no_way_to_python() -> None:
    known: dict[str, Any] = program("Hello {{ x }}").write.__globals__  # type: ignore[attr-defined]  # a plain function
    assert known == {**FUNCTIONS, "__builtins__": {}}


def test_a_program_takes_keys_of_dicts_and_nothing_else() -> None:
    class Trap(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            raise AssertionError(key)

        upper = "reached"

    for value in ("text", 1, [1], Trap(upper=1), object(), str):
        assert said("{% if x.upper %}reached{% endif %}", x=value) == ""


def test_a_program_knows_the_line_of_each_output() -> None:
    one = nodes.Output([nodes.TemplateData("a\nb", lineno=1), nodes.Name("x", "load", lineno=7)], lineno=1)
    two = nodes.Output([nodes.Name("y", "load", lineno=9)], lineno=9)
    made = generate([one], [two], file="f", functions=FUNCTIONS)
    assert missing_at(made, y=1) == 7
    assert missing_at(made, x=1) == 9


def test_a_long_text_knows_its_lines() -> None:
    text = "".join(f"{{{{ x.y }}}} {number}\n" for number in range(200)) + "{{ z }}"
    made = program(text, text)
    plain, html = filled(made, {"x": {"y": "<"}, "z": "!"})
    assert plain == "".join(f"< {number}\n" for number in range(200)) + "!"
    assert html == plain.replace("<", "&lt;")
    assert missing_at(made, x={"y": "<"}) == 201


def missing_at(made: Program, **values: Any) -> int:
    """The line where something is missing."""
    with pytest.raises(UndefinedError) as caught:
        made.fill(values, Filling(formats=formats_of("en")))
    [step] = [entry for entry in caught.traceback if entry.frame.code.name == "message"]
    return made.line(step.lineno + 1)
