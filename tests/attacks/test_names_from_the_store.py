"""What comes out of the store is input: it is written under names by an allow-list, and through no link."""

from __future__ import annotations

from pathlib import Path

import pytest

from avisa.templates import template_folder

NAMES = [
    "../../x",
    "/tmp/x",
    "messages/../../x/en.md",
    "messages/../x.md",
    "messages/shipped/../../../x.md",
    "messages/.hidden/en.md",
    "messages/shipped/.en.md",
    "messages/ship\nped/en.md",
    "messages/shipped/en.md/",
    "messages//en.md",
    "messages/shipped/en.sh",
    "layout/layout.html/x",
    "layout/../plan.yaml",
    "layout\\..\\x.html",
    "Plan.yaml",
    ".git/hooks/post-checkout",
    ".env",
    "README.md",
    "~/.ssh/authorized_keys",
    "",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_no_such_folder_has_is_not_written(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "a/b/c"
    with pytest.raises(OSError, match="name"):
        template_folder.write(folder, {"plan.yaml": "x", name: "y"})
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "name", ["plan.yaml", "layout/theme.yaml", "layout/mail.html", "messages/order-confirmed/pt-BR.md"]
)
def test_the_names_of_plan_and_messages_are_written(tmp_path: Path, name: str) -> None:
    assert template_folder.write(tmp_path, {name: "y"}) == ([tmp_path / name], [])
    assert (tmp_path / name).read_text() == "y"


@pytest.mark.parametrize("link", ["messages", "messages/shipped", "layout"])
def test_nothing_is_written_or_removed_through_a_link(tmp_path: Path, link: str) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "mine"
    for name in ("shipped/en.md", "en.md", "mail.html"):
        (elsewhere / name).parent.mkdir(parents=True, exist_ok=True)
        (elsewhere / name).write_text("precious")
    (folder / link).parent.mkdir(parents=True, exist_ok=True)
    (folder / link).symlink_to(elsewhere)
    with pytest.raises(OSError, match="link"):
        template_folder.write(folder, {"messages/shipped/en.md": "x", "layout/mail.html": "y"})
    assert all(path.read_text() == "precious" for path in elsewhere.rglob("*.*"))


def test_a_file_that_is_a_link_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/plan.yaml").symlink_to(tmp_path / "precious")
    template_folder.write(tmp_path / "mine", {"plan.yaml": "x"})
    assert not (tmp_path / "mine/plan.yaml").is_symlink()
    template_folder.write(tmp_path / "mine", {"plan.yaml": "new"})
    assert (tmp_path / "precious").read_text() == "x"
