"""The characters that no file of a template folder may hold."""

from __future__ import annotations

import re

# Those that mark the places of placeholders (U+E000 and U+E001), and those that have no place in any text.
RESERVED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ue000-\ue001\ufffe\uffff]")
