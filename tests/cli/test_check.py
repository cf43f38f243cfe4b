"""`avisa check` as people and forges read it."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from avisa.cli.views import problems
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.lint.codes import codes
from avisa.store import open_store
from tests.builders import NOW
from tests.cli.test_command import Avisa, asked
from tests.fakes import RealClock
from tests.store.harness import change
from tests.templates.harness import shipped
from tests.templates.test_folder import laid_out

__all__ = ["asked"]


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """The shipped folder, in English alone."""
    return laid_out(tmp_path / "mine", shipped("en"))


@pytest.fixture
def mine(sound: Path) -> Path:
    """A folder with an error in a message and a warning in the plan."""
    message = sound / "messages/shipped/en.md"
    message.write_text(message.read_text() + "\nDear {{ customer.frist_name }}, 100 % yours\n")
    plan = sound / "plan.yaml"
    plan.write_text(re.sub('color: "#[0-9a-f]+"', 'color: "#9adcf5"', plan.read_text()))
    return sound


def test_a_problem_is_shown_with_its_line_and_a_caret(asked: Avisa, mine: Path) -> None:
    ended = asked("check", "mine")
    assert ended.code == 1
    lines = ended.out.splitlines()
    (place,) = [at for at, line in enumerate(lines) if line.startswith("mine/messages/shipped/en.md:")]
    head, said, pointer = lines[place : place + 3]
    number = len((mine / "messages/shipped/en.md").read_text().splitlines())
    assert head.startswith(f"mine/messages/shipped/en.md:{number}:9  error[unknown_name]  there is no name")
    assert said == f"{number:>5} | Dear {{{{ customer.frist_name }}}}, 100 % yours"
    assert pointer == "      |         ^^^^^^^^^^^^^^^^^^^ did you mean customer.first_name?"
    assert said.index("customer") == pointer.index("^")
    assert lines[-1] == "1 error and 1 warning. More: avisa check --explain unknown_name"


def test_no_word_is_lost_on_a_narrow_terminal(asked: Avisa, mine: Path) -> None:
    wide = asked("check", "mine").out
    narrow = asked("check", "mine", COLUMNS="50").out
    assert [line for line in narrow.splitlines() if "[unknown_name]" in line] == [
        line for line in wide.splitlines() if "[unknown_name]" in line
    ]


def test_check_writes_annotations_for_github(asked: Avisa, mine: Path) -> None:
    ended = asked("check", "mine", "--format", "github")
    assert ended.code == 1
    error, warning = ended.out.splitlines()
    assert error.startswith("::error file=mine/messages/shipped/en.md,line=")
    assert ",col=9,title=unknown_name::there is no name" in error
    assert error.endswith("; perhaps: customer.first_name")
    assert warning.startswith("::warning file=mine/plan.yaml,line=20,col=12,title=low_contrast::")


def test_check_writes_a_code_quality_report_for_gitlab(asked: Avisa, mine: Path) -> None:
    ended = asked("check", "mine", "--format", "gitlab")
    assert ended.code == 1
    first, second = json.loads(ended.out)
    assert set(first) == {"description", "check_name", "fingerprint", "severity", "location"}
    assert (first["check_name"], first["severity"]) == ("unknown_name", "major")
    assert second["location"] == {"path": "mine/plan.yaml", "lines": {"begin": 20}}
    message = mine / "messages/shipped/en.md"
    message.write_text(message.read_text().replace("\nDear", "\n\nDear"))
    moved, _ = json.loads(asked("check", "mine", "--format", "gitlab").out)
    assert moved["fingerprint"] == first["fingerprint"]
    assert moved["location"]["lines"]["begin"] == first["location"]["lines"]["begin"] + 1


@pytest.mark.usefixtures("sound")
def test_a_report_without_problems_is_still_one(asked: Avisa) -> None:
    assert json.loads(asked("check", "mine", "--format", "gitlab").out) == []
    assert asked("check", "mine", "--format", "github").out == ""


def test_what_a_forge_would_read_as_its_own_is_escaped(tmp_path: Path) -> None:
    odd = Diagnostic(code="syntax", file="a,b:c.md", line=1, message="50 %\n::error::no")
    assert problems.github([odd], tmp_path).count("\n") == 1
    assert "a%2Cb%3Ac.md" in problems.github([odd], tmp_path)


def test_the_same_problem_twice_has_two_fingerprints(tmp_path: Path) -> None:
    twice = [Diagnostic(code="syntax", file="x.md", line=line, message="m") for line in (1, 2)]
    assert len({one["fingerprint"] for one in json.loads(problems.gitlab(twice, tmp_path))}) == 2


@pytest.mark.parametrize("code", codes())
def test_check_explains_every_code(asked: Avisa, code: str) -> None:
    document = asked("check", "--explain", code, "--json").json
    assert (document["code"], document["severity"]) == (code, codes()[code].severity)
    assert document["means"] in asked("check", "--explain", code).out.replace("\n", " ")


def test_an_unknown_code_is_not_explained(asked: Avisa) -> None:
    ended = asked("check", "--explain", "unkown_name")
    assert ended.code == 1
    assert "did you mean unknown_name?" in ended.err
    assert "long_silence" in ended.err


def test_check_refuses_two_formats_or_an_unknown_one(asked: Avisa) -> None:
    assert asked("check", "--json", "--format", "github").json["error"] == "usage"
    assert asked("check", "--format", "html").code == 64


@pytest.mark.parametrize("columns", ["80", "200"])
def test_a_long_line_is_shown_around_its_fault(tmp_path: Path, columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    (tmp_path / "x.md").write_text("word " * 100 + "{{ wrong }} " + "word " * 100)
    problem = Diagnostic(code="unknown_name", file="x.md", line=1, column=504, message="wrong " * 50)
    console = Console()
    with console.capture() as capture:
        console.print(problems.text([problem], tmp_path))
    _, said, pointer, *_ = capture.get().splitlines()
    assert len(said) <= int(columns)
    assert said[pointer.index("^") :].startswith("wrong }}")
    assert pointer.strip(" |") == "^^^^^"


@pytest.mark.parametrize("before", ["日本語 ", "🎁🎁 ", "e\u0301 ", "\ta\u200fb\x07 "])
def test_a_caret_stands_under_its_word_behind_whatever_is_wide(tmp_path: Path, before: str) -> None:
    (tmp_path / "x.md").write_text(f"{before}{{{{ wrong }}}} 日本")
    problem = Diagnostic(code="unknown_name", file="x.md", line=1, column=len(before) + 4, message="wrong")
    console = Console(width=100)
    with console.capture() as capture:
        console.print(problems.text([problem], tmp_path))
    _, said, pointer, *_ = capture.get().splitlines()
    assert cell_len(pointer[: pointer.index("^")]) == cell_len(said[: said.index("wrong")])
    assert pointer.strip(" |") == "^^^^^"


@pytest.mark.parametrize("how", [(), ("--json",), ("--format", "github"), ("--format", "gitlab")])
def test_a_problem_with_half_a_character_is_printed(asked: Avisa, mine: Path, how: tuple[str, ...]) -> None:
    message = mine / "messages/shipped/en.md"
    message.write_text(message.read_text() + '\n{{ button("x", "foo@\\ud800") }}\n')
    ended = asked("check", "mine", *how)
    assert ended.code == 1
    assert "mailto:foo@" in ended.out + ended.err


async def _keep(url: str) -> None:
    """Three orders that were cancelled, in the shop's own spelling."""
    store = open_store(url, clock=RealClock(), exclusive=True)
    await store.start()
    gone = [
        change(f"A-{n}", status="canceled", statuses=(((1, -1, 1), "confirmed"), ((2, -1, 2), "canceled")))
        for n in range(3)
    ]
    await store.orders.commit(gone, now=NOW)
    await store.close()


@pytest.mark.usefixtures("sound")
def test_the_plan_is_held_against_the_orders_of_the_store(asked: Avisa, tmp_path: Path) -> None:
    asyncio.run(_keep(f"sqlite:///{tmp_path / 'avisa.db'}"))
    ended = asked("check", "mine", "--live", "--json")
    assert (ended.code, ended.json["ok"]) == (0, True)
    (problem,) = ended.json["problems"]
    assert (problem["code"], problem["suggestion"]) == ("unplanned_status", "cancelled")
    assert problem["message"] == "3 orders were at `canceled`, which has no touchpoint"


@pytest.mark.usefixtures("sound")
def test_a_store_is_opened_only_with_live(asked: Avisa, tmp_path: Path) -> None:
    (tmp_path / "avisa.db").write_bytes(b"no database at all, but long enough to be looked at" * 40)
    ended = asked("check", "mine", "--json")
    assert (ended.code, ended.json, ended.err) == (0, {"ok": True, "problems": []}, "")
    assert asked("check", "mine", "--live", "--json").code == 74
