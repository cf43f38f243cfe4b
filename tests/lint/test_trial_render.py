"""What is compiled while an operator saves one message after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avisa.lint import check
from avisa.templates import compile_message
from tests.templates.harness import read_plan, shipped
from tests.templates.test_folder import laid_out


def test_of_a_folder_checked_again_only_what_changed_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = shipped("en")
    assert check(laid_out(tmp_path / "before", texts), read_plan) == []
    compiled: list[str] = []
    really = compile_message.compile_message

    def noted(text: str, *, file: str, **how: Any) -> Any:
        compiled.append(file)
        return really(text, file=file, **how)

    monkeypatch.setattr(compile_message, "compile_message", noted)
    texts["messages/shipped/en.md"] += "\nThank you.\n"
    assert check(laid_out(tmp_path / "after", texts), read_plan) == []
    assert compiled == ["messages/shipped/en.md"] * 2, "once in the frame, and once without"
