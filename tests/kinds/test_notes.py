"""Nothing leaves a mail silently: what its reader does not see is a note on the order's timeline."""

from __future__ import annotations

import re
from pathlib import Path

from avisa import views
from avisa.cli.views.timeline import timeline
from tests.cli.test_story import printed
from tests.flows.harness import running


async def test_what_was_left_out_of_a_mail_is_noted_on_the_timeline(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as flows, flows.sending():
        await flows.happens("shipped", details__words='"' * 1_990, details__items=[{"x": '"' * 1_500}] * 100)
        await flows.became("A-1/1/update/1/customer", "sent")
        document = views.timeline_json(await flows.history())
    noted = document["entries"][-1]
    assert (noted["kind"], noted["key"]) == ("note", "A-1/1/update/1/customer")
    assert re.fullmatch(r"order\.items: \d\d of 100 left out, as the mail would be too large", noted["note"])
    assert (noted["reason"], noted["state"], noted["purpose"]) == (None, None, "update")
    assert "✂ update" in printed(timeline(document))


async def test_a_mail_that_is_complete_has_no_note(tmp_path: Path) -> None:
    async with running(tmp_path / "avisa.db") as flows, flows.sending():
        await flows.happens("shipped", details__items=[{"name": "Mesa"}])
        await flows.became("A-1/1/update/1/customer", "sent")
        entries = views.timeline_json(await flows.history())["entries"]
    assert {entry["kind"] for entry in entries} == {"event", "decision", "settled"}
