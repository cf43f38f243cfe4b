"""YAML mistakes are reported where they were made, in words that somebody who never learned YAML can act on."""

from __future__ import annotations

import random

import pytest

from avisa.diagnostics.yaml_errors import DocumentError
from avisa.diagnostics.yaml_reader import parse
from tests.depth import rounds

PLAN = """\
brands:
  default:
    name: Loja Azul
    from: "Loja Azul <avisos@example.com>"
    color: "#1f5f8b"
owners:
  care: {name: Customer care, email: care@example.com}
defaults:
  owner: care
  channels: [email]
  quiet_hours: "21:00-08:00"  # no mail in the night
touchpoints:
  confirmed:
    window: 24h
    remind:
      - 3h
"""
# The good text, the mistake in its place, the line and column reported, a part of the message, the suggestion.
MISTAKES = [
    ("window: 24h", "window 24h", (14, 5), "a key needs a colon and a space", "window: 24h"),
    ("window: 24h", "window = 24h", (14, 5), "a key needs a colon and a space", "window: 24h"),
    ("window: 24h", "window:24h", (14, 5), "a colon needs a space after it", "window: 24h"),
    ("email: care", "email:care", None, "", None),  # there it is a text, which the plan refuses
    ("name: Loja Azul", "name: Loja: Azul", (3, 11), "a text with a colon in it needs quotes", '"Loja: Azul"'),
    ("name: Loja Azul", "name: @Loja", (3, 11), "begins with `@` needs quotes", '"@Loja"'),
    ("name: Loja Azul", "name: %Loja  # ours", (3, 11), "begins with `%` needs quotes", '"%Loja"'),
    ("name: Loja Azul", "name: *Loja* Azul", (3, 11), "begins with `*` needs quotes", '"*Loja* Azul"'),
    ("name: Loja Azul", "name: &Loja Azul", None, "", None),
    ("name: Loja Azul", "name: & Azul", (3, 11), "begins with `&` needs quotes", '"& Azul"'),
    ("name: Loja Azul", "name: > Azul", (3, 11), "begins with `>` needs quotes", '"> Azul"'),
    ("name: Loja Azul", 'name: @"Loja" Azul', (3, 11), "begins with `@` needs quotes", "'@\"Loja\" Azul'"),
    ("name: Loja Azul", "name: {Loja} Azul", (3, 11), "begins with `{` needs quotes", '"{Loja} Azul"'),
    ("name: Loja Azul", "name: {{ shop }}", (3, 12), "begins with { needs quotes", None),
    ("name: Loja Azul", "name: ? Loja", (3, 11), "begins with `?` needs quotes", '"? Loja"'),
    ("name: Loja Azul", "name: ] Azul", (3, 11), "`]` cannot stand here", None),
    (
        "name: Loja Azul",
        "name: !Loja",
        (3, 11),
        "tags (!name) are not read",
        "leave it out, or quotes around the text",
    ),
    ("name: Loja Azul", "name: 'Joana's shop'", (3, 18), "the apostrophe before this ends", '"Joana\'s shop"'),
    ("name: Loja Azul", 'name: "Loja\\Azul"', (3, 17), "a backslash in double quotes", "single quotes: '…'"),
    ("name: Loja Azul", 'name: "Loja', (3, 11), "are closed only in line 4", None),
    ('example.com>"', "example.com>", (4, 11), "are closed only in line 5", None),
    ('"21:00-08:00"', '"21:00-08:00', (11, 16), "are never closed", None),
    ('"21:00-08:00"', '"21:00"-"08:00"', (11, 23), "something else stands in the line", '"21:00-08:00"'),
    ("window: 24h", 'window: "24h",', (14, 18), "there is nothing before this comma, or no list around it", None),
    ("    window: 24h", "\twindow: 24h", (14, 1), "a tab stands here", "spaces, as in the lines around it"),
    ("    window", "   window", (15, 5), "by 4 spaces, line 14 above it by 3; 0, 2 or 3 would fit", None),
    ("    remind", "   remind", (15, 4), "by 3 spaces, line 14 above it by 4; 0, 2 or 4 would fit", None),
    ("    remind", "     remind", (15, 6), "by 5 spaces, line 14 above it by 4; 0, 2 or 4 would fit", None),
    ("  owner", " owner", (10, 3), "by 2 spaces, line 9 above it by 1; 0 or 1 would fit", None),
    ("brands:\n", "  brands:\n", (6, 1), "by 0 spaces, line 5 above it by 4; 2 or 4 would fit", None),
    ("care@example.com}", "care@example.com", (7, 9), "this `{` is not closed", "}"),
    ("care, email", "care email", (7, 30), "a comma is missing before this", None),
    ("[email]", "[email", (10, 13), "this `[` is not closed", "]"),
    ("[email]", "[email}", (10, 19), "what `[` opened, `]` closes", "]"),
    ("[email]", "[email,,]", (10, 20), "there is nothing before this comma", None),
    ("owner: care", "owner: - care", (9, 10), "a list begins in the line below", "[a, b]"),
    ("      - 3h", "      - 3h\n      at: 3", (17, 7), "the lines above it are a list", None),
    ("    window: 24h", "    window: 24h\n    - 3h", (15, 5), "this begins an entry of a list", None),
    ("  channels", "  tell_within 3h\n  channels", (10, 3), "a key needs a colon and a space", "tell_within: 3h"),
    ("defaults:", "what holds\ndefaults:", (8, 1), "a remark begins with #", "what: holds"),
    ("defaults:", "this is what holds\ndefaults:", (8, 1), "a remark begins with #", None),
    ("  confirmed:", "  confirmed", (13, 3), "a key needs a colon and a space", "confirmed:"),
    ("  channels:", "channels:", (11, 3), "0 would fit, or line 10 belongs at 2", None),
    ("name: Loja Azul", "shop name: Loja: Azul", (3, 16), "a text with a colon in it needs quotes", '"Loja: Azul"'),
    ("name: Loja Azul", "shop name:Loja", (3, 5), "a colon needs a space after it", "shop name: Loja"),
    ("name: Loja Azul", """name: it's "x": y""", (3, 11), "needs quotes", """'it''s "x": y'"""),
    ("    window", "\u00a0\u00a0\u00a0\u00a0window", (14, 1), "another sign", "a blank of your own in its place"),
    ("window: 24h", "window:\u00a024h", (14, 12), "another sign", "a blank of your own in its place"),
    ("name: Loja Azul", "name: Loja\u00a0Azul", None, "", None),
    ("brands:", "\ufeffbrands:", None, "", None),
    ("brands:", "%YAML 3.0", (1, 1), "needs quotes", '"%YAML 3.0"'),
]


@pytest.mark.parametrize(("old", "new", "place", "message", "meant"), MISTAKES, ids=[it[1] for it in MISTAKES])
def test_a_yaml_mistake_is_reported_where_it_was_made(
    old: str, new: str, place: tuple[int, int] | None, message: str, meant: str | None
) -> None:
    assert PLAN.count(old) == 1, old
    text = PLAN.replace(old, new)
    if place is None:
        parse(text)
        return
    with pytest.raises(DocumentError) as caught:
        parse(text)
    error = caught.value
    assert (error.place, error.suggestion) == (place, meant), error.message
    assert message in error.message


@pytest.mark.parametrize("ends", ["\r\n", "\r", "\x85", "\u2028"])
def test_yaml_lines_are_counted_as_pyyaml_counts_them(ends: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse(PLAN.replace("    window", "   window").replace("\n", ends))
    assert caught.value.place == (15, 5)


def test_a_suggestion_never_repeats_an_address() -> None:
    with pytest.raises(DocumentError) as caught:
        parse(PLAN.replace("name: Loja Azul", "reply_to apoio@example.com"))
    assert (caught.value.place.line, caught.value.suggestion) == (3, None)


def test_any_yaml_mistake_is_reported_in_our_own_words_and_within_the_file() -> None:
    """A character lost, put in or doubled, anywhere; PyYAML's own words never reach an operator."""
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    rng = random.Random(seed)
    errors: list[tuple[str, DocumentError]] = []
    for _ in range(rounds(3_000)):
        at, sign = rng.randrange(len(PLAN)), rng.choice("\u2028\r\t\"'{}[],:-# *&@>|?%!\\\n a")
        text = PLAN[:at] + rng.choice(["", sign, sign + PLAN[at]]) + PLAN[at + 1 :]
        try:
            parse(text)
        except DocumentError as error:
            errors.append((text, error))
    assert len(errors) > rounds(300)
    for text, error in errors:
        lines = [*text.splitlines(), ""]
        assert 1 <= error.place.line <= len(lines)
        assert 1 <= error.place.column <= len(lines[error.place.line - 1]) + 1, (error.message, error.place, text)
    by_pyyaml = [error.message for _, error in errors if "this is not YAML" in error.message]
    assert not by_pyyaml
