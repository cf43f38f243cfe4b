"""Small rooms: no module of the service is longer than a few screens (CONTRIBUTING, Taste)."""

from __future__ import annotations

from tests.readme import page

_SERVICE = page.ROOT / "service"
_LONGEST = 300  # lines


def test_no_module_is_longer_than_a_few_screens() -> None:
    modules = sorted(_SERVICE.rglob("*.py"))
    assert len(modules) > 100  # it looks in the right place
    lines = {path.relative_to(_SERVICE).as_posix(): path.read_text("utf-8").count("\n") for path in modules}
    assert {name: count for name, count in lines.items() if count > _LONGEST} == {}
