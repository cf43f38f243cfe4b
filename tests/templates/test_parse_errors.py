"""What cannot be read is told in our words, at its place; and every place is exact."""

from __future__ import annotations

import pytest

from avisa.templates.compile_message import compile_message
from tests.templates.harness import compiled, layout


@pytest.mark.parametrize(
    ("body", "column", "message", "suggestion"),
    [
        ("{{ order.number", 1, "this `{{` is never closed", "}}"),
        ("Dear {{ customer.name,\n{{ order.number }}", 6, "this `{{` is never closed", "}}"),
        ("{{ order.number\nand more.", 1, "this `{{` is never closed", "}}"),
        ("{% if reason\n{{ reason }}{% endif %}", 1, "this `{%` is never closed", "%}"),
        ("{% if reason }}x{% endif %}", 14, "what `{%` opened, `%}` closes", "%}"),
        ("{{ order.number %}", 17, "what `{{` opened, `}}` closes", "}}"),
        ("{{{ order.number }}}", 1, "a placeholder has two braces on each side, not three", "{{ … }}"),
        ("a {# b {{ order.number }}", 3, "this `{#` is never closed", "#}"),
        ("{{ order.x | default('a) }}", 22, "the quotes that begin here are never closed", None),
        ("{{ customer.first name }}", 19, "`name` stands where `}}` is expected", "customer.first_name"),
        ("{{ order number }}", 10, "`number` stands where `}}` is expected", "order.number"),
        ("{% if reason }x{% endif %}", 14, "`}` cannot stand here", "%}"),
        ('{% if reason =! "x" %}a{% endif %}', 14, "`=` stands where `%}` is expected", "!="),
        ("{{ promise.date || day }}", 18, "`|` stands where a name is expected", "|"),
        ("{{ reason || status }}", 12, "`|` stands where a name is expected", "or"),
        ("{{ order. }}", 11, "a name is missing after the dot", None),
        ("{% %}", 4, "there is nothing in it; allowed: if, elif, else, endif, for, endfor", None),
        ("a {{ order.number }", 19, "`}` cannot stand here", "}}"),
        ("{{ order.number order }}", 17, "`order` stands where `}}` is expected", None),
        ("{{ }}", 4, "something is missing before `}}`", None),
        ("{{ order.number | }}", 19, "`}}` stands where a name is expected", None),
        ("{{ order.number) }}", 16, "`)` cannot stand here", None),
        ("{{ (order.number] }}", 17, "`]` stands where `)` is expected", None),
        ("{{ order & x }}", 10, "`&` cannot stand here", "and"),
        ("{% if reason %}x{% endfor %}", 20, "`endfor` cannot close the `if` that is open here", "endif"),
        ("x{% endif %}", 5, "`endif` without an `if` before it", None),
        ("{% else %}", 4, "`else` without an `if` before it", None),
        ("{% for a in order.items %}x", 4, "this `for` is never closed", "{% endfor %}"),
        (
            "{% if reason %}{% if status %}x{% endif %}",
            4,
            "this `if` is never closed",
            "{% endif %}",
        ),
        ("{{ order.x | default(“a”) }}", 22, "`“` cannot stand here", 'straight quotes: "…"'),
        ("{% if status = 'x' %}a{% endif %}", 14, "`=` stands where `%}` is expected", "=="),
        ("{% if reason %}a{% else if x %}b{% endif %}", 25, "`if` stands where `%}` is expected", "{% elif … %}"),
        (
            "{% if reason %}a{% end if %}",
            20,
            "there is no `end` in a message; allowed: if, elif, else, endif, for, endfor",
            "{% endif %}",
        ),
        ("{% elsif x %}", 4, "there is no `elsif` in a message; allowed: if, elif, else, endif, for, endfor", "elif"),
    ],
)
def test_a_syntax_error_has_its_place_message_and_suggestion(
    body: str, column: int, message: str, suggestion: str | None
) -> None:
    made, problems = compiled(f"first\n{body}")
    assert made is None
    (problem,) = problems
    assert (problem.code, problem.line, problem.column) == ("syntax", 6, column), problem
    assert (problem.message, problem.suggestion) == (message, suggestion)


@pytest.mark.parametrize(
    ("body", "word", "meant"),
    [
        ("{{ order-number }}", "`-`", "order.number"),
        ("{{ customer.first-name }}", "`-`", "customer.first_name"),
        ("{{ order,number }}", "a tuple", "order.number"),
        ("{{ order.total * 2 }}", "`*`", None),
    ],
)
def test_what_is_not_allowed_is_called_as_it_is_written(body: str, word: str, meant: str | None) -> None:
    _, problems = compiled(body)
    refused = [it for it in problems if it.code == "not_allowed"]
    assert [(it.message, it.suggestion) for it in refused] == [(f"{word} is not allowed in a template", meant)]


@pytest.mark.parametrize(
    "body",
    ["[x](shop.example/?a=1&amp;b=2)", "[x](a\\_b)", "[x](a&#95;b) more", "[x](https&#58;//{{ order.number }}.a.b)"],
)
def test_an_address_that_is_spelt_otherwise_than_it_reads_has_a_place(body: str) -> None:
    _, (problem,) = compiled(f"first\n\n{body}")
    assert problem.code == "link_scheme"
    assert problem.line in (5, 7)  # where it cannot be found, the message begins
    assert problem.column is not None and problem.column > 0


@pytest.mark.parametrize(
    "text",
    [
        "---\nsubject: a {{ ‸wrong }}\nshort: s\n---\nx\n",
        '---\nsubject: "a {{ ‸wrong }}"\nshort: s\n---\nx\n',
        "---\nshort: s\n# a note\n\nsubject:   a\n    b {{ ‸wrong }}\n---\nx\n",
        "---\nsubject: a\n\tb\n\t\tc {{ ‸wrong }}\nshort: s\n---\nx\n",
        "---\nsubject: s\nshort: a\n---\n\n\n  x {% if reason %}{{ reason }}{% endif %} {{ 'x' if ‸wrong else '' }}",
        "---\r\nsubject: s\r\nshort: a\r\n---\r\nx\r\n\r\n{{ ‸wrong }}\r\n",
        "\ufeff---\nsubject: s\nshort: a\n---\n{{ ‸wrong }}\n",
        "---\nsubject: s\nshort: a\n---\n{# a note\n over two lines #}{{ ‸wrong }}\n",
        "---\nsubject: s\nshort: a\n---\nx   {%- if reason -%}   {{ ‸wrong }}{% endif %}\n",
        "---\nsubject: s\nshort: a\n---\n{{ order.number | default(‸wrong) }}\n",
        "---\nsubject: wrong\nshort: a\n---\nwrong {{ 'wrong' }} {{ ‸wrong }}\n",
    ],
)
def test_an_unknown_name_is_reported_at_its_line_and_column(text: str) -> None:
    before, _, after = text.partition("‸")
    _, problems = compile_message(before + after, file="f", locale="en", layout=layout(), for_owner=False)
    named = next(problem for problem in problems if problem.code == "unknown_name")
    lines = before.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    assert (named.line, named.column) == (len(lines), len(lines[-1]) + 1)


@pytest.mark.parametrize(
    ("body", "line", "column", "code", "suggestion"),
    [
        ("{{ order.url }}", 6, 4, "may_be_missing", "{% if order.url %}…{% endif %}"),
        ("{{ order.ulr }}", 6, 4, "may_be_missing", "{% if order.url %}…{% endif %}"),
        ("{{ order.numbr }}", 6, 4, "may_be_missing", "order.number"),
        ("{{ order.x }}", 6, 4, "may_be_missing", "{% if order.x %}…{% endif %}"),
        ("{{ button('a', order.ulr) }}", 6, 16, "unlikely_name", "order.url"),
        ("{{ button('a {{ order.number }}', order.url) }}", 6, 11, "not_allowed", None),
        ("{{ progress }}", 6, 4, "unknown_name", "progress()"),
        ("[Look](order.url)", 6, 8, "link_scheme", "{{ order.url }}"),
        ("[Ask](care@shop.example)", 6, 7, "link_scheme", "mailto:care@shop.example"),
        ("a { order.number }", 6, 3, "stray_brace", "{{ … }}"),
        ("{% if status %}a{% endif %}\n\n{% if reason %}\n\na {% endif %}", 8, 1, "crossing", None),
    ],
)
def test_a_slip_is_told_at_its_place_and_with_what_was_meant(
    body: str, line: int, column: int, code: str, suggestion: str | None
) -> None:
    _, problems = compiled(f"first\n{body}")
    assert [(it.code, it.line, it.column, it.suggestion) for it in problems][:1] == [(code, line, column, suggestion)]


@pytest.mark.parametrize("warning", ["{ ", "{% if order.ulr %}{% endif %}"])
@pytest.mark.parametrize("wrong", ["{{ order.__class__ }}", "{{ nope }}", "{% set a = 1 %}", "{{ order.x() }}"])
def test_no_number_of_warnings_hides_an_error(warning: str, wrong: str) -> None:
    made, problems = compiled(warning * 40 + wrong)
    assert made is None
    assert any(problem.severity == "error" for problem in problems)


@pytest.mark.parametrize(
    "link",
    [
        "[x](https:///{{ order.number }})",
        "[x](https://{{ order.number }})",
        "[x](https:{{ order.number }})",
        "[x](https:/e{{ order.number }})",
        "[x](https://shop.example{{ order.number }}/)",
        "[x]({{ order.number }}{{ order.id }})",
    ],
)
def test_no_order_names_the_host_of_a_link(link: str) -> None:
    made, problems = compiled(link)
    assert made is None
    assert [problem.code for problem in problems] == ["link_scheme"]


@pytest.mark.parametrize(
    "link",
    ["[x](https://shop.example/{{ order.id }})", "[x]({{ order.number }}/{{ order.id }})", "[x]({{ order.id }})"],
)
def test_behind_the_host_of_a_link_a_placeholder_may_stand(link: str) -> None:
    assert compiled(link)[1] == []


def test_an_address_in_angles_is_a_link_and_no_html() -> None:
    assert compiled("<https://shop.example/> and <care@shop.example>")[1] == []
    assert [it.code for it in compiled("a <b>c</b>")[1]] == ["html_is_text"]
