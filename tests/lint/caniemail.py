"""Makes `service/lint/client_support.json`: which CSS and HTML most mail programs do not support.

The tables are those of caniemail.com, as the npm package `caniemail` carries them: `npm pack caniemail`, and then
`python -m tests.lint.caniemail package/dist/data/caniemail.json > service/lint/client_support.json`.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

CLIENTS = {
    ("apple-mail", "ios"): "Apple Mail (iPhone)",
    ("apple-mail", "macos"): "Apple Mail (Mac)",
    ("gmail", "desktop-webmail"): "Gmail (web)",
    ("gmail", "ios"): "Gmail (iPhone)",
    ("gmail", "android"): "Gmail (Android)",
    ("outlook", "windows"): "Outlook (Windows)",
    ("outlook", "macos"): "Outlook (Mac)",
    ("outlook", "outlook-com"): "Outlook (web)",
    ("outlook", "ios"): "Outlook (iPhone)",
    ("outlook", "android"): "Outlook (Android)",
    ("yahoo", "desktop-webmail"): "Yahoo (web)",
    ("yahoo", "ios"): "Yahoo (iPhone)",
    ("yahoo", "android"): "Yahoo (Android)",
    ("samsung-email", "android"): "Samsung",
    ("thunderbird", "macos"): "Thunderbird",
}
WORTH = {"y": 1.0, "a": 0.5, "n": 0.0}
FEW = 0.45  # of the clients; one with partial support counts half
# A mail reads as well without these, so using them is no fault.
HARMLESS = frozenset(
    [
        "color-scheme",
        "cursor",
        "hyphens",
        "overflow-wrap",
        "resize",
        "target",
        "text-wrap",
        "transition",
        "user-select",
    ]
)


def unsupported(tables: Mapping[str, Any]) -> dict[str, Any]:
    weak: defaultdict[str, dict[str, list[str]]] = defaultdict(dict)
    for feature in tables["data"]:
        known: dict[str, str] = {}
        for (family, platform), name in CLIENTS.items():
            tested = feature["stats"].get(family, {}).get(platform, {})
            if tested:
                known[name] = list(tested.values())[-1][0]
        if not known or sum(WORTH.get(it, 0.5) for it in known.values()) / len(known) >= FEW:
            continue
        for kind, word in named(feature["category"], feature["title"]):
            if word not in HARMLESS:
                weak[kind][word] = [name for name, answer in known.items() if answer == "n"]
    return {
        "source": "caniemail.com, by the npm package caniemail (MIT)",
        "updated": tables["last_update_date"][:10],
        **{kind: dict(sorted(words.items())) for kind, words in sorted(weak.items())},
    }


def named(category: str, title: str) -> Iterator[tuple[str, str]]:
    """Yield kind and word, as written in a mail, of each thing that the title of a feature names."""
    if category == "html":
        yield from (("elements", word) for word in re.findall(r"<([a-z]+)>", title))
        if found := re.fullmatch(r"([a-z-]+(?: and [a-z-]+)*) attributes?", title):
            yield from (("attributes", word) for word in found[1].split(" and "))
    elif category == "css":
        if title.startswith("@"):
            yield from [("at_rules", title)] if " " not in title else []
        elif title.startswith(":"):
            yield from (("selectors", word) for word in re.findall(r"::?[a-z-]+", title))
        elif functions := re.findall(r"([a-z-]+)\(\)", title):
            yield from (("functions", word) for word in functions)
        elif title.startswith("CSS Variables"):
            yield "functions", "var"
        else:
            words = re.split(r" ?[&,] ?", title.removesuffix(" CSS property"))
            yield from (("properties", word) for word in words if re.fullmatch(r"[a-z]+(-[a-z]+)*", word))


if __name__ == "__main__":
    tables = json.loads(Path(sys.argv[1]).read_text())
    sys.stdout.write(json.dumps(unsupported(tables), indent=1, ensure_ascii=False) + "\n")
