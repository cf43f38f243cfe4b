"""Text that arrives HTML-encoded is decoded once, as text and never as markup; what identifies or
addresses stays as it came."""

from __future__ import annotations

import json
from email import message_from_bytes, policy
from html import escape

import pytest

from avisa.core.model import Json
from avisa.events.entities import decoded
from tests.templates.harness import mailed, usual

# A name as it arrives, and as `To:` has it.
NAMES = {
    "O&#039;Neill": "O'Neill",
    "Jos&eacute; Garc&iacute;a": "José García",
    "Ana&nbsp;Sousa": "Ana Sousa",
    "Zo&#xEB; Hill": "Zoë Hill",
}

# A reason as it arrives, and as the text of the mail has it.
REASONS = {
    "Tom &amp; Co": "Tom & Co",
    "Glaze &amp; kiln": "Glaze & kiln",
    "&lt;b&gt;wet&lt;/b&gt; clay": "<b>wet</b> clay",
    "&amp;lt;once&amp;gt;": "&lt;once&gt;",
    "5 &euro; more": "5 € more",
    # not encoded
    "AT&T, R&D; a & b;": "AT&T, R&D; a & b;",
    "x&nosuchname;": "x&nosuchname;",
    "10&#37": "10&#37",
    "a &&amp;": "a &&",
    "{{ order.id }} &#123;&#123; 7 }}": "{{ order.id }} {{ 7 }}",
}


def arrived(**facts: Json) -> dict[str, Json]:
    """These facts as the mail harness takes them, after they were read from an event."""
    named = {name.replace("_", ".", 1): value for name, value in facts.items()}
    return {name.replace(".", "_", 1): fact for name, fact in decoded(named, json.dumps(facts).encode()).items()}


@pytest.mark.parametrize(("sent", "shown"), NAMES.items())
def test_a_name_is_decoded_once(sent: str, shown: str) -> None:
    _, mail = mailed(usual(), **arrived(customer_name=sent))
    (mailbox,) = message_from_bytes(mail.data, policy=policy.default)["To"].addresses
    assert mailbox.display_name == shown


@pytest.mark.parametrize(("sent", "shown"), REASONS.items())
def test_a_text_is_decoded_once_and_as_text(sent: str, shown: str) -> None:
    rendered, _ = mailed(usual(), **arrived(reason=sent))
    assert f"because: {shown}" in rendered.text
    assert f"because: {escape(shown)}" in rendered.html


def test_names_of_things_and_links_are_decoded() -> None:
    items = [{"name": "Salt &amp; pepper", "quantity": 1}]
    url = "https://shop.example.com/o?a=1&amp;b=2&copy=3"
    rendered, _ = mailed(usual(), **arrived(details_items=items, details_url=url))
    assert "Salt & pepper" in rendered.text
    assert "https://shop.example.com/o?a=1&b=2&copy=3" in rendered.text
    assert 'href="https://shop.example.com/o?a=1&amp;b=2&amp;copy=3"' in rendered.html


@pytest.mark.parametrize(
    ("facts", "kept"),
    [
        ({"customer.id": "a&amp;b", "customer.email": "a&amp;b@x.example"}, None),
        ({"brand": "x&amp;y", "owner": "&lt;", "promised_at": "&#50;"}, None),
        ({"reason": "&nbsp;", "details.note": "&#32;", "status": "&lt;"}, {"status": "&lt;"}),
        ({"reason": None, "details.n": 7, "details.b": True, "details.x": "&lt;"}, {"details.x": "<"}),
        (
            {"details.deep": {"&lt;": [{"a": "&lt;"}, "&gt;", None]}},
            {"details.deep": {"&lt;": [{"a": "<"}, ">", None]}},
        ),
        ({"details.zero": "a&#0;b&#xD800;", "customer": None}, {"details.zero": "a\ufffdb\ufffd"}),
    ],
)
def test_what_identifies_stays_and_a_blank_says_nothing(facts: dict[str, Json], kept: dict[str, Json] | None) -> None:
    wanted = facts if kept is None else {**{key: fact for key, fact in facts.items() if "&" not in str(fact)}, **kept}
    assert decoded(facts, json.dumps(facts).encode()) == wanted


def test_an_ampersand_that_json_escapes_is_one_too() -> None:
    facts: dict[str, Json] = {"reason": "Tom &amp; Co"}
    assert decoded(facts, rb'{"reason": "Tom \u0026amp; Co"}') == {"reason": "Tom & Co"}
    assert decoded(facts, b"no ampersand; at all") is facts
