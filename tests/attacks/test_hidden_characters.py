"""No character that reorders or hides text reaches a header, a body, a log line or a terminal.

Which may pass is said, not which may not: letters, up to four marks on one, numbers, punctuation, symbols and blanks;
joiners only where their script or an emoji needs them.
"""

from __future__ import annotations

import pytest

from avisa.core.characters import one_line, printable, visible
from avisa.templates import message_file
from tests.templates.harness import mailed, usual
from tests.templates.mail_parsing import parsed

HIDDEN = [  # the issue's, then others of their kind
    "\u061c", "\u200b", "\u206a", "\u2060", "\u00ad", "\u3164", "\U000e0041",
    "\u200e", "\u200f", "\u202e", "\u2066", "\ufeff", "\u034f", "\u115f", "\u1160", "\uffa0", "\u17b4", "\u180e",
    "\u2061", "\ufe0f", "\U000e0100", "\U000e0001", "\U000e007f", "\ufff9", "\ufffc", "\U0001d173", "\U0001d159",
    "\u200c", "\u200d", "\x00", "\x1b", "\x7f", "\x9b", "\ue000", "\U000f0000", "\ud800", "\uffff", "\U0010ffff",
]  # fmt: skip
KEPT = [
    "Ana Sousa", "Ñandú, às 10:15 (50 %)", "30\u00a0cm", "e\u0301", "\u0e01\u0e33\u0e25\u0e31\u0e07", "名前", "R$ 5",
    "€ 5 · “x”",
    "نمی\u200cخواهم", "क\u094d\u200dष", "ন\u09cd\u200dয", "葛\U000e0100城",
    "👩🏽\u200d🚀", "❤\ufe0f\u200d🔥", "🏴\u200d☠\ufe0f", "👁\ufe0f\u200d🗨\ufe0f", "1\ufe0f\u20e3", "🇵🇹",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "🫨", "שלום", "السلام",
]  # fmt: skip
CHANGED = [
    ("e" + "\u0301" * 500, "e" + "\u0301" * 4),
    ("\u0301x", "x"),
    ("a\u2028b\u2029c\rd\r\ne\x85f\x0bg", "a\nb\nc\nd\ne\nf\ng"),
    ("x\u2800y\tz", "x y z"),
    ("🏴\U000e0041\U000e0042\U000e007f", "🏴"),
    ("👩\u200d\u200d🚀", "👩\u200d🚀"),
    ("x\u200dy", "xy"),
]


@pytest.mark.parametrize("hidden", HIDDEN, ids=ascii)
def test_a_hidden_character_reaches_no_reader(hidden: str) -> None:
    typed = f"An{hidden}a"
    rendered, mail = mailed(
        usual(), customer_name=typed, details_number=typed, details_note=typed, reason=typed,
        details_items=[{"name": typed}],
    )  # fmt: skip
    message = parsed(mail)
    texts = [part.get_content() for part in message.iter_parts()]
    for text in (*texts, message["Subject"], str(message["To"]), rendered.short):
        assert hidden not in text
        assert "Ana" in text


@pytest.mark.parametrize("hidden", sorted({*HIDDEN} - {"\u200e", "\u200f"}), ids=ascii)
def test_a_message_that_holds_one_is_refused_at_its_place(hidden: str) -> None:
    body = f"Good news{hidden}.\n"
    found = message_file.read(f"---\nsubject: s\nshort: s\n---\nHello,\n\n{body}", file="messages/x/en.md")
    assert isinstance(found, list)
    assert [(it.code, it.line, it.column) for it in found] == [("not_allowed", 7, 10)]


def test_a_message_may_hold_what_its_script_needs() -> None:
    body = "\n".join((*KEPT, "\u200fשלום\u200e", "a\tb"))
    assert not isinstance(message_file.read(f"---\nsubject: s\nshort: s\n---\n{body}\n", file="x"), list)


@pytest.mark.parametrize("hidden", HIDDEN, ids=ascii)
def test_a_log_line_and_a_terminal_show_it_as_an_escape(hidden: str) -> None:
    shown = printable(f"A{hidden}1")
    assert shown == "A" + hidden.encode("unicode_escape", "surrogatepass").decode() + "1"


@pytest.mark.parametrize("text", KEPT)
def test_what_people_write_is_shown_as_they_write_it(text: str) -> None:
    assert visible(text) == text
    assert printable(text) == text
    assert text in mailed(usual(), reason=text)[0].text


@pytest.mark.parametrize(("text", "shown"), CHANGED, ids=ascii)
def test_what_is_too_much_is_left_out(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert one_line(text) == " ".join(shown.split())
