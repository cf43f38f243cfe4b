"""deploy/env.example names every setting, and nothing that is not one."""

from __future__ import annotations

import re
from pathlib import Path

from avisa.settings import Settings, describe, load

EXAMPLE = Path(__file__).parents[2] / "deploy" / "env.example"
GIVEN = dict(re.findall(r"^#?(AVISA_\w+)=(.*)$", EXAMPLE.read_text("utf-8"), re.MULTILINE))


def test_env_example_has_every_setting() -> None:
    assert GIVEN.keys() == describe(Settings()).keys()


def test_env_example_as_it_stands_changes_no_setting() -> None:
    settings = load({}, dotenv=EXAMPLE)
    assert isinstance(settings, Settings)
    assert not settings.sources


def test_what_looks_like_a_default_in_env_example_is_one() -> None:
    for name, told in describe(Settings()).items():
        if told["value"] is not None and name != "AVISA_CLOCK__SPEED":
            assert GIVEN[name] == str(told["value"])
    assert float(GIVEN["AVISA_CLOCK__SPEED"]) == Settings().clock.speed


def test_the_values_of_env_example_are_valid() -> None:
    """All but those that name files, which are not on this machine, and those that go with them."""
    given = {name: text for name, text in GIVEN.items() if not text.startswith(("/run/", "/data/", "/templates"))}
    given["AVISA_KAFKA__SECURITY"] = "sasl_ssl"  # the password beside it would be of no use
    given |= {
        name: "kT7-vo9Qz-3mRw-Lx2p" for name, text in given.items() if text == "change-me"
    }  # which is no secret
    assert isinstance(load(given, dotenv=None), Settings)
