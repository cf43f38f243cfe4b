"""What a message may contain, and how an operator is told what is wrong with one."""

from __future__ import annotations

import pytest

from avisa.core import context, facts, samples
from avisa.ports import RenderedMessage
from avisa.templates.compiled import Compiled
from avisa.templates.renderer import fill
from tests.templates import harness
from tests.templates.harness import NOW, compiled, usual

REFUSED = [
    "{{ ''.__class__ }}",
    "{{ order.__class__ }}",
    "{{ order._secret }}",
    "{{ order | attr('x') }}",
    "{{ order.number | safe }}",
    "{{ order.number | xmlattr }}",
    "{{ order.number | format('x') }}",
    "{{ '%999999999d' % 1 }}",
    "{{ 'x' * 999999999 }}",
    "{{ 9 ** 9 }}",
    "{{ 1 + 1 }}",
    "{{ -order.number }}",
    "{{ 'a' ~ 'b' }}",
    "{{ order['number'] }}",
    "{{ order.number[0] }}",
    "{{ [1, 2] }}",
    "{{ {'a': 1} }}",
    "{{ (1, 2) }}",
    "{{ order.number is defined }}",
    "{{ 'a' in order.number }}",
    "{{ lipsum() }}",
    "{{ cycler('a') }}",
    "{{ range(9) }}",
    "{{ self }}",
    "{{ loop }}",
    "{{ order.number.upper() }}",
    "{{ _zone }}",
    "{{ button }}",
    "{{ content }}",
    "{{ words.next }}",
    "{{ progress }}",
    "{{ order.number | _link }}",
    "{{ order.number | label }}",
    "{{ rating() }}",
    "{{ caller() }}",
    "{% include '/etc/passwd' %}",
    "{% import 'x' as y %}",
    "{% from 'x' import y %}",
    "{% extends 'x' %}",
    "{% block b %}{% endblock %}",
    "{% macro m() %}{% endmacro %}",
    "{% call button('a', 'b') %}{% endcall %}",
    "{% set x = 1 %}",
    "{% set x %}y{% endset %}",
    "{% with x = 1 %}{% endwith %}",
    "{% filter upper %}x{% endfilter %}",
    "{% autoescape false %}x{% endautoescape %}",
    "{% for a in 'abc' %}{% endfor %}",
    "{% for a, b in order.items %}{% endfor %}",
    "{% for a in order.items if a %}{% endfor %}",
    "{% for a in order.items recursive %}{% endfor %}",
    "{% for order in order.items %}{% endfor %}",
    "{% for a in order.x %}{% for b in order.x %}{% for c in order.x %}x{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in order.items %}\n\n{{ progress() }}\n\n{% endfor %}",
    "{{ button(order.number) }}",
    "{{ button(text='a', url='b') }}",
    "{{ button(*order.items) }}",
    "text {{ button('a', 'https://x.example') }} text",
    "{{ order.number | day(1) }}",
    "{{ order.number | default('a', true, 3) }}",
    "{{ order.number | default(boolean=true) }}",
    "{{ 'a' if order.number }}",
    "{% if %}x{% endif %}",
    "{% if reason %}x",
    "{{ order.number",
    "{{ }}",
    "{% bogus %}",
    "**{% if reason %}x** y{% endif %}",
    "- a {% if reason %}\n- b {% endif %}",
    "[x](javascript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](JAVASCRIPT:alert(1))",
    "[x](data:text/html,x)",
    "[x](www.example.com)",
    "[x](/y)",
    "[x](ftp://x.example)",
    "<vbscript:x>",
    "a \ue0000\ue001 b",
]


@pytest.mark.parametrize("body", REFUSED)
def test_what_is_not_allowed_is_refused(body: str) -> None:
    made, problems = compiled(body)
    assert made is None
    assert any(problem.severity == "error" for problem in problems)


@pytest.mark.parametrize("subject", ["{{ button('a', 'b') }}", "{{ order.eta }}", "{% if x %}"])
def test_a_fault_in_a_subject_is_refused_as_in_the_body(subject: str) -> None:
    made, problems = compiled("x", subject=subject)
    assert made is None
    assert problems[0].line == 2


@pytest.mark.parametrize(
    "body",
    [
        "(" * 3_000,
        "- " * 2_000,
        "{{ " + "(" * 2_000 + "1" + ")" * 2_000 + " }}",
        "{% if reason %}" * 300 + "x" + "{% endif %}" * 300,
    ],
)
def test_what_is_nested_beyond_sense_harms_nobody(body: str) -> None:
    compiled(body)


@pytest.mark.parametrize(
    ("body", "code", "line", "column", "suggestion"),
    [
        ("a\n{{ custmer.name }}", "unknown_name", 6, 4, "customer.name"),
        ("a\n\n{{ customer.frist_name }}", "unknown_name", 7, 4, "customer.first_name"),
        ("{{ order.number | uper }}", "unknown_filter", 5, 19, "upper"),
        ("{{ buton('a', order.url) }}", "unknown_component", 5, 4, "button"),
        ("{{ order.nummber }}", "may_be_missing", 5, 4, "order.number"),
        ("x {{ reason }}", "may_be_missing", 5, 6, "{% if reason %}…{% endif %}"),
        ("{{ promise.date | day }}", "may_be_missing", 5, 4, "{% if promise.date %}…{% endif %}"),
        ("{{ owner.name }}", "unknown_name", 5, 4, None),
        ("{{ customer }}", "not_allowed", 5, 4, None),
        ("a\n[x](javascript:y)", "link_scheme", 6, 5, None),
        ("a\n\n{% if reason %}", "syntax", 7, 4, "{% endif %}"),
    ],
)
def test_a_problem_names_its_place_and_what_was_meant(
    body: str, code: str, line: int, column: int | None, suggestion: str | None
) -> None:
    _, problems = compiled(body)
    problem = problems[0]
    assert (problem.code, problem.line, problem.column) == (code, line, column)
    assert suggestion is None or problem.suggestion == suggestion


@pytest.mark.parametrize(
    "body",
    [
        "{% if reason %}{{ reason }}{% endif %}",
        "{% if not reason %}a{% else %}{{ reason }}{% endif %}",
        "{% if reason and next_step %}{{ reason }} {{ next_step }}{% endif %}",
        "{% if promise and promise.previous %}{{ promise.previous | day }}{% endif %}",
        "{% if promise %}{{ promise.date | day }}{% endif %}",
        "{% if not promise or not reason %}a{% else %}{{ promise.date | day }}{{ reason }}{% endif %}",
        "{% if order.pay == 'card' %}{{ order.pay }}{% endif %}",
        "{% if order.a %}a{% elif order.b %}{{ order.b }}{% endif %}",
        "{{ order.eta | default('soon') | upper }}",
        "{{ order.eta if order.eta else 'soon' }}",
        "{% for a in order.items %}{% for b in a.parts %}{% if b.c %}{{ b.c }}{% endif %}{% endfor %}{% endfor %}",
        "{% if order.total %}{{ order.total | money }} {{ order.total | money('USD') }}{% endif %}",
        "{% if reminder.number > 1 and reminder.last %}x{% endif %}",
        "[x]({{ brand.url | default('https://x.example') }}) [y](https://x.example/{{ order.number }}?a=b)",
        "{{ items(order.items) }}\n{{ progress() }}\n{{ button('x', order.url) }}",
    ],
)
def test_what_is_asked_for_can_be_said_and_is_always_written(body: str) -> None:
    made, problems = compiled(body)
    assert made is not None, problems
    for order, notification in samples.samples("shown", usual().plan, NOW).values():
        values = context.build(order, notification, usual().plan, NOW, facts.view(order))
        assert isinstance(fill(made, {**values, "_zone": "UTC"}), RenderedMessage)


def test_owners_have_names_of_their_own() -> None:
    made, problems = compiled("{{ owner.name }}: {{ order.customer_name }}", owner=True)
    assert made is not None, problems


def written(body: str, **values: object) -> RenderedMessage:
    made, problems = compiled(body)
    assert made is not None, problems
    usual_values = {
        "customer": {"name": "Ana", "first_name": "Ana"},
        "order": {"id": "A", "number": "1"},
        "brand": {"name": "B", "color": "#000000", "on_color": "#ffffff"},
        "status": "shipped",
        "progress": [],
        "_zone": "Europe/Lisbon",
    }
    rendered = fill(made, {**usual_values, **values})
    assert isinstance(rendered, RenderedMessage), rendered
    return rendered


def text_of(body: str, **values: object) -> str:
    """The plain text above the signature."""
    return written(body, **values).text.partition("\n\n-- \n")[0]


def test_a_paragraph_goes_with_its_condition() -> None:
    body = "a\n\n{% if reason %}*b* {{ reason }}{% endif %}\n\nc"
    assert text_of(body) == "a\n\nc"
    assert text_of(body, reason="r") == "a\n\nb r\n\nc"
    assert "></p>" not in written(body).html


def test_a_line_goes_with_its_condition() -> None:
    body = "a.\n{% if reason %}{{ reason }}.{% endif %}\nb."
    assert text_of(body) == "a. b."
    assert text_of(body, reason="r") == "a. r. b."
    assert text_of("{% if reason %}{{ reason }}.{% endif %}\nb.") == "b."


def test_statements_on_their_own_lines_stand_between_paragraphs() -> None:
    body = "a\n{% if reason %}\nb\n{% else %}\nc\n{% endif %}\nd"
    assert text_of(body) == "a\n\nc\n\nd"
    assert text_of(body, reason="r") == "a\n\nb\n\nd"


def test_a_loop_over_one_item_is_one_list() -> None:
    body = "{% for a in order.items %}\n- {{ a.name | default('?') }}\n{% endfor %}"
    rendered = written(body, order={"id": "A", "number": "1", "items": [{"name": "x"}, {"name": "<y>"}, {}]})
    assert rendered.text.startswith("- x\n- <y>\n- ?\n")
    assert rendered.html.count("<ul") == 1
    assert rendered.html.count("<li") == 3
    assert "&lt;y&gt;" in rendered.html


def test_markdown_is_written_as_text_and_as_html() -> None:
    body = "# T\n\nx *e* **s** `c` [l](https://x.example) <https://y.example>\\\nz\n1. a\n2. b\n   - c\n\n> q\n\n---"
    text = text_of(body)
    assert text.startswith("T\n\nx e s c l (https://x.example/) https://y.example\nz\n\n1. a\n2. b\n   - c\n\n> q\n")
    html = written(body).html
    for piece in ("<h1", "<em", "<strong", "<code", 'href="https://x.example/"', "<br>", "<ol", "<blockquote", "<hr"):
        assert piece in html


def test_a_value_in_the_path_of_a_link_is_encoded() -> None:
    rendered = written(
        "[x](https://x.example/{{ order.number }}/y?z={{ status }})",
        order={"id": "A", "number": "../a?b&c#d/é"},
        status='"><b>',
    )
    assert 'href="https://x.example/..%2Fa%3Fb%26c%23d%2F%C3%A9/y?z=%22%3E%3Cb%3E"' in rendered.html


def test_html_and_entities_in_a_message_are_text() -> None:
    made, problems = compiled("<b>x</b> &lt;i&gt; &#123;&#123; 7*7 &#125;&#125; {{ '{{' }}")
    assert made is not None
    assert [problem.code for problem in problems] == ["html_is_text"]
    rendered = written("<b>x</b> &lt;i&gt; &#123;&#123; 7*7 &#125;&#125; {{ '{{' }}")
    assert rendered.text.startswith("<b>x</b> <i> {{ 7*7 }} {{\n")
    assert "&lt;b&gt;x&lt;/b&gt;" in rendered.html


def test_dates_stand_in_the_customers_zone_and_language() -> None:
    body = "{% if next_update %}{{ next_update | day }} {{ next_update | datetime }}{% endif %}"
    assert text_of(body, next_update="2026-03-02T23:30:00Z", _zone="Asia/Tokyo") == (
        "Tuesday, March 3 March 3, 2026, 8:30\u202fAM"
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "no_front_matter"),
        ("Hello", "no_front_matter"),
        ("---\nsubject: a\nshort: b\n", "no_front_matter"),
        ("---\nshort: b\n---\nx", "missing_subject"),
        ("---\nsubject: a\n---\nx", "missing_short"),
        ("---\nsubject:\nshort: b\n---\nx", "missing_subject"),
        ("---\nsubject: a\nshort: b\n---\n \n", "missing_body"),
        ("---\nsubjet: a\nshort: b\n---\nx", "unknown_key"),
        ("---\nsubject: a\nsubject: a\nshort: b\n---\nx", "given_twice"),
        ("---\nnonsense\nsubject: a\nshort: b\n---\nx", "front_matter"),
    ],
)
def test_faults_of_the_front_matter_are_refused(text: str, code: str) -> None:
    from avisa.templates.compile_message import compile_message
    from tests.templates.harness import layout

    made, problems = compile_message(text, file="f", locale="en", layout=layout(), for_owner=False)
    assert made is None
    assert code in [problem.code for problem in problems]


def test_only_what_changed_is_compiled_again() -> None:
    def taken(name: str) -> Compiled | None:
        return harness.catalog_of(folder).renderer.messages[name]["en"].compiled()

    folder = harness.files()
    plain, shown = taken("plain"), taken("shown")
    assert taken("plain") is plain
    folder["messages/shown/en.md"] += "\nMore.\n"
    assert taken("shown") is not shown
    assert taken("plain") is plain
    folder["layout/button.txt"] += " "
    assert taken("plain") is not plain
