"""The lines of a reason stay lines: in HTML, and in plain text, where no line of it looks like one of the shop's."""

from __future__ import annotations

import pytest

from tests.templates.harness import catalog_of, files, mailed
from tests.templates.mail_parsing import parsed

MESSAGE = """---
subject: "s {{ reason | default('') }}"
short: "{{ reason | default('') }}"
---
{% if reason %}Why: {{ reason }}{% endif %}

{% if reason %}
- {{ reason }}
- x

> {{ reason }}
{% endif %}

{% if reason %}{{ button(reason, order.url) }}{% endif %}
"""
CATALOG = catalog_of(files(shown=MESSAGE))
ENDS = ["\n", "\r\n", "\r", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\n\n\n", " \n "]


@pytest.mark.parametrize("end", ENDS, ids=ascii)
def test_the_lines_of_a_reason_stay_lines(end: str) -> None:
    rendered, mail = mailed(CATALOG, reason=f"one{end}two & three")
    text, html = (part.get_content().replace("\r\n", "\n") for part in parsed(mail).iter_parts())
    assert "Why: one\n  two & three\n" in text
    assert "- one\n  two & three\n- x" in text
    assert "> one\n> two & three" in text
    assert "one two & three:\nhttps://" in text
    assert html.count("one<br>two &amp; three") == 3
    assert rendered.short == "one two & three"
    assert parsed(mail)["Subject"] == "s one two & three"
    assert "<title>s one two &amp; three</title>" in html
