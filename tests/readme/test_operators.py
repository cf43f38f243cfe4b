"""The operators' manual is tried too: what is generated in it is current, and its session is typed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_send_test import relay, through
from tests.readme import operators
from tests.tools.waiting import PATIENCE

TEXT = operators.MANUAL.read_text("utf-8")
LARGEST = 60 * 1024  # bytes of a picture


def test_the_generated_parts_of_the_manual_are_current() -> None:
    """If not: `python -m tests.readme.operators`."""
    assert operators.regenerated(TEXT) == TEXT


def test_the_manual_has_the_pictures_it_shows_and_no_others() -> None:
    """If not: `python -m tests.readme.operators --pictures`."""
    shown = set(re.findall(r'src="pictures/([^"]+)"', TEXT))
    there = {file.name: file.stat().st_size for file in operators.PICTURES.iterdir()}
    assert shown == there.keys()
    assert max(there.values()) <= LARGEST
    assert all(f'alt="{words}"' in TEXT for words in operators.LOOKS.values())


@pytest.mark.long
def test_the_session_in_the_manual_goes_as_it_says(tmp_path: Path, environ: dict[str, str]) -> None:
    commands = session()
    # Each command in braces, so that what it exports stays; then a line by which answers can be told apart.
    script = "".join(f"{{ {command}\n}} 2>&1; printf '\\n::%s::\\n' \"$?\"\n" for command, _ in commands)
    with relay() as server:
        set_up = environ | through(server) | {"COLUMNS": "120"}
        done = subprocess.run(
            ["sh"], input=script, cwd=tmp_path, env=set_up, capture_output=True, text=True, timeout=PATIENCE
        )
    assert [taken.recipient for taken in server.taken] == [b"rita@example.com"]
    *answers, rest = re.split(r"\n::(\d+)::\n", done.stdout)
    assert rest == done.stderr == ""
    assert len(answers) == 2 * len(commands)
    for (command, expected), answered, code in zip(commands, answers[::2], answers[1::2], strict=True):
        assert re.fullmatch(as_pattern(expected), tidy(answered)), f"$ {command}\n{answered}"
        assert code in ("0", "1"), command


def session() -> list[tuple[str, str]]:
    """What is typed, and what is answered."""
    block = TEXT.partition("<!-- session -->\n```console\n")[2].partition("\n```\n")[0]
    commands = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    assert len(commands) > 5
    return [(command, tidy(answer)) for command, _, answer in (each.partition("\n") for each in commands)]


def tidy(text: str) -> str:
    """Without blanks at the ends of lines, and empty lines at the ends of the text."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def as_pattern(text: str) -> str:
    """A line `…` stands for any lines, an `…` in a line for anything in it, blanks for blanks."""
    return "\n".join(map(_line_as_pattern, text.split("\n")))


def _line_as_pattern(line: str) -> str:
    if line.strip() == "…":
        return r"[^\n]*(\n[^\n]*)*"
    return re.sub(r"(\\ )+", " +", re.escape(line)).replace("…", ".*")
