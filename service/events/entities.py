"""Text that arrives HTML-encoded, as shops that keep web pages in their databases send it: `O&#039;Neill`.

It is decoded once, as text and never as markup: `&lt;b&gt;` becomes `<b>`, which a mail shows as these three
characters, and `&amp;lt;` becomes `&lt;`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape

from avisa.core.model import Json

# With its semicolon: in `?a=1&copy=2` nothing is encoded.
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_WRITTEN = frozenset({"customer.name", "customer.first_name", "customer.given_name", "reason", "next_step"})


def decoded(facts: dict[str, Json], value: bytes) -> dict[str, Json]:
    """The facts with all decoded that a customer may read, and links; ids and addresses stay as they came.

    `value` is the whole event, in which one look tells whether there is anything to decode. A text that turns out to
    be blank says nothing and is left out.
    """
    if b";" not in value or not (b"&" in value or b"\\u0026" in value):
        return facts
    kept: dict[str, Json] = {}
    for name, fact in facts.items():
        if name not in _WRITTEN and not name.startswith("details."):
            kept[name] = fact
            continue
        text = _decoded(fact)
        if text.__class__ is not str or text is fact or text.strip():
            kept[name] = text
    return kept


def _decoded(value: Json) -> Json:
    if isinstance(value, str):
        return _ENTITY.sub(lambda found: unescape(found[0]), value) if "&" in value else value
    if isinstance(value, list):
        return [_decoded(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _decoded(one) for key, one in value.items()}
    return value
