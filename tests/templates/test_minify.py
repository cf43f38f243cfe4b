"""Line ends that nobody sees are not sent, and nor are the comments of a layout."""

from __future__ import annotations

import pytest

from avisa.ports import RenderedMessage
from avisa.templates.layout.minify import minify
from avisa.templates.renderer import fill
from tests.templates.harness import compiled, layout


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("<p>a</p>\n  <p>b</p>\n", "<p>a</p><p>b</p>"),
        ("<b>a</b>\n<i>b</i>", "<b>a</b>\n<i>b</i>"),  # it parts two words
        ("<p>a <b>b</b>\n  c</p>", "<p>a <b>b</b>\nc</p>"),
        ("<table>\n<tr>\n\n<td>\na\n</td>\n</tr>\n</table>", "<table><tr><td>a</td></tr></table>"),
        ("a<br>\nb", "a<br>b"),
        ("<pre-like>\na", "<pre-like>\na"),
        ("<TD align='right'>\na </TD>", "<TD align='right'>a </TD>"),
        ("<p>\xa0\n\u2003a</p>", "<p>\xa0\n\u2003a</p>"),  # blanks that are seen
        ("<p>\ue0001\ue001\n<p>", "<p>\ue0001\ue001<p>"),
    ],
)
def test_a_line_end_beside_a_block_goes(written: str, sent: str) -> None:
    assert minify(written) == sent
    assert minify(sent) == sent


def test_comments_of_the_layout_are_not_sent() -> None:
    message, problems = compiled("Hello **you** _there_.")
    assert message is not None, problems
    filled = fill(message, {"brand": {"name": "x", "color": "#000000"}, "order": {"number": "1"}})
    assert isinstance(filled, RenderedMessage), filled
    assert "Outlook on Windows" in layout().text("layout.html")
    assert "Outlook on Windows" not in filled.html
    assert "<strong>you</strong> <em>there</em>" in filled.html
