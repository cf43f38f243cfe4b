"""Fewer octets, the same page."""

from __future__ import annotations

import pytest

from avisa.templates.layout.minify import tightened
from tests.templates.desk import compiled, layout


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("<p>a</p>\n  <p>b</p>\n", "<p>a</p><p>b</p>"),
        ("<b>a</b>\n<i>b</i>", "<b>a</b>\n<i>b</i>"),  # a blank that is seen
        ("<p>a <b>b</b> c</p>", "<p>a <b>b</b> c</p>"),
        ('<p title="a > b">  c', '<p title="a > b">c'),
        ("<table>\n<tbody>\n<tr>\n<td>a</td>\n</tr>\n</tbody>\n</table>",
         "<table><tbody><tr><td>a</td></tr></tbody></table>"),
        ("a <br>\n b", "a<br>b"),
        ("<pre-like>  a", "<pre-like>  a"),
        ("a <br class='w'> b", "a <br class='w'> b"),
        ("<style>@media x{br{display:none}}</style>a <br> b", "<style>@media x{br{display:none}}</style>a <br> b"),
        ("a <div style='display:none'>b</div> c", "a <div style='display:none'>b</div> c"),
        ("a <div hidden>b</div> c", "a <div hidden>b</div> c"),
        ("a <div style='&#100;isplay:contents'>b</div> c", "a <div style='&#100;isplay:contents'>b</div> c"),
        ("<div title='a > b'> a </div> b", "<div title='a > b'>a</div>b"),
        ("<li style='display:inline'>a</li> <li style='display:inline'>b</li>",
         "<li style='display:inline'>a</li> <li style='display:inline'>b</li>"),
        ("<tr style='display:inline'> <td> a</td></tr>", "<tr style='display:inline'> <td> a</td></tr>"),
        ("<table align=left> <tr><td>", "<table align=left> <tr><td>"),
        ("<td align=right> a </td>", "<td align=right>a</td>"),
        ("<head>\n<meta a=b>\n<title> a </title>\n</head>", "<head><meta a=b><title>a</title></head>"),
        ("<style>p::before{a:b}</style><p> a</p>", "<style>p::before{a:b}</style><p> a</p>"),
        ("<p style='wh\\69te-space:pre'> a</p>", "<p style='wh\\69te-space:pre'> a</p>"),
        ("a <!doctype x> b", "a <!doctype x> b"),
        ("<b>a</b> <meta itemprop=x> <b>c</b>", "<b>a</b> <meta itemprop=x> <b>c</b>"),
        ("<style>.x{display:none}</style>a  <p>\n  b</p>", "<style>.x{display:none}</style>a <p>\nb</p>"),
        ("<style>td:empty{a:b}</style><td>  </td>", "<style>td:empty{a:b}</style><td> </td>"),
        ("<style>a  b{c:d}</style>  <p>  a", "<style>a  b{c:d}</style><p>a"),
        ("<div style='white-space:pre'> a\n<br> b</div>", "<div style='white-space:pre'> a\n<br> b</div>"),
        ("<p>\u2003a</p> \u3000<p>\xa0b</p>", "<p>\u2003a</p>\u3000<p>\xa0b</p>"),
        ('<!-- 5" --><b title="a">x</b> <b title="<p>   c">', '<!-- 5" --><b title="a">x</b> <b title="<p>   c">'),
    ],
)  # fmt: skip
def test_takes_only_what_nobody_sees(written: str, sent: str) -> None:
    assert tightened(written) == sent
    assert tightened(sent) == sent


def test_comments_of_the_layout_are_not_sent() -> None:
    message, problems = compiled("Hello **you** _there_.")
    assert message is not None, problems
    _, html = message.program.fill({"brand": {"name": "x", "color": "#000000"}, "order": {"number": "1"}})
    assert "Outlook on Windows" in layout().text("layout.html")
    assert "Outlook on Windows" not in html
    assert "<strong>you</strong> <em>there</em>" in html
