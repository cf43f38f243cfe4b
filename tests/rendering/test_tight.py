"""Fewer octets, the same page."""

from __future__ import annotations

import pytest

from service.rendering.tight import tightened
from tests.rendering.desk import compiled, layout


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("<p>a</p>\n  <p>b</p>\n", "<p>a</p><p>b</p>"),
        ("<b>a</b>\n<i>b</i>", "<b>a</b>\n<i>b</i>"),  # a blank that is seen
        ("<p>a <b>b</b> c</p>", "<p>a <b>b</b> c</p>"),
        ('<p title="a > b">  c', '<p title="a > b">c'),
        ("<table>\n<tbody>\n<tr>\n<td>a</td>\n</tr>\n</tbody>\n</table>", "<table><tr><td>a</td></tr></table>"),
        ("a <br>\n b", "a<br>b"),
        ("<pre-like>  a", "<pre-like>  a"),
        ("a <br class='w'> b", "a <br class='w'> b"),
        ("<style>@media x{br{display:none}}</style>a <br> b", "<style>@media x{br{display:none}}</style>a <br> b"),
        ("a <div style='display:none'>b</div> c", "a <div style='display:none'>b</div>c"),
        ("<table>\n<tbody class=\"x\"></tbody>\n<tbody></tbody></table>",
         "<table><tbody class=\"x\"></tbody>\n<tbody></tbody></table>"),
        ("<li style='display:inline'>a</li> <li>b</li>", "<li style='display:inline'>a</li> <li>b</li>"),
        ("<div style='white-space:pre'> a\n<br> b</div>", "<div style='white-space:pre'> a\n<br> b</div>"),
        ("<p>\u2003a</p> \u3000<p>\xa0b</p>", "<p>\u2003a</p>\u3000<p>\xa0b</p>"),
        ('<!-- 5" --><b title="a">x</b> <b title="<p>   c">', '<!-- 5" --><b title="a">x</b> <b title="<p>   c">'),
        ("<style>a::before { content: 'b ; }'; } [c='d, e'] { f: g; }</style>",
         "<style>a::before{content:'b ; }'}[c='d, e']{f:g}</style>"),
        ("<style>\n@media (x: y) {\n  .a b, i { c: d !important; }\n}\n</style>",
         "<style>@media (x:y){.a b,i{c:d!important}}</style>"),
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
