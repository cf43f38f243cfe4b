"""Health is what the checks say (promise 13), and metrics are those of docs/reference.md."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from avisa import telemetry
from avisa.core.model import Purpose, Reason, State
from avisa.web.health import Check
from tests.web.conftest import RunningSite


async def test_readyz_is_ok_when_every_check_is(running: RunningSite) -> None:
    answer = await running.client.get("/readyz")
    assert answer.status_code == 200
    readiness = answer.json()
    assert readiness["status"] == "ok"
    assert readiness["checks"]["store"] == {"ok": True, "detail": "sqlite", "required": True}
    assert (await running.client.get("/livez")).json() == {
        "status": "ok",
        "checks": {"loop": {"ok": True, "detail": "", "required": True}},
    }


async def test_readyz_is_503_when_a_required_check_fails(running: RunningSite) -> None:
    running.checks["kafka"] = Check(ok=False, detail="has not answered yet")
    answer = await running.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "unavailable"
    assert answer.json()["checks"]["kafka"]["ok"] is False


async def test_readyz_is_degraded_when_a_check_fails_that_is_not_required(running: RunningSite) -> None:
    running.checks["assignment"] = Check(ok=False, detail="no partition", required=False)
    answer = await running.client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


async def test_metrics_have_the_names_and_labels_of_the_reference(running: RunningSite) -> None:
    telemetry.decided(Reason.ENTERED, 3)
    telemetry.dead_lettered(Reason.NOT_JSON)
    telemetry.field_ignored("time")
    telemetry.odd_time("ahead")
    telemetry.queued(Purpose.UPDATE, "email")
    telemetry.held(Reason.FLOOD)
    telemetry.settled(Purpose.UPDATE, "email", State.SENT)
    telemetry.reminder_lateness(0.2)
    telemetry.event_to_accepted(0.02)
    answer = await running.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    labels = {name: {k for s in f.samples for k in s.labels} - {"le"} for name, f in families.items()}
    assert labels == {
        "avisa_events": {"reason"},
        "avisa_dead_letters": {"reason"},
        "avisa_event_fields_ignored": {"field"},
        "avisa_event_times_odd": {"when"},
        "avisa_notifications": {"purpose", "channel", "state"},
        "avisa_holds": {"reason"},
        "avisa_in_doubt": set(),
        "avisa_outbox": {"state"},
        "avisa_orders": {"state"},
        "avisa_reminder_lateness_seconds": set(),
        "avisa_event_to_accepted_seconds": set(),
        "avisa_paused": set(),
        "avisa_build_info": {"version"},
        "avisa_log_lines_dropped": set(),
    }  # what could not be read is absent
    assert "avisa_events_total{" in answer.text
    states = {s.labels["state"]: s.value for s in families["avisa_outbox"].samples}
    assert states == {"queued": 0, "held": 2, "sending": 0, "retrying": 0}


async def test_every_reading_becomes_a_metric() -> None:
    metrics = telemetry.exposition(
        telemetry.Readings(
            outbox={},
            outbox_oldest_seconds=1.5,
            orders={"open": 1, "final": 2, "stuck": 0},
            in_doubt=0,
            kafka_lag_records=3,
            kafka_lag_seconds=0.5,
            kafka_open_transaction_records=2,
            blind=True,
            paused=False,
            channel_paused={"email": False},
            catalog_ok=True,
            smtp_connections=2,
        )
    ).decode()
    for name in (
        "avisa_outbox_oldest_seconds 1.5",
        'avisa_orders{state="final"} 2.0',
        "avisa_in_doubt_total 0.0",
        "avisa_kafka_lag_records 3.0",
        "avisa_kafka_lag_seconds 0.5",
        "avisa_kafka_open_transaction_records 2.0",
        "avisa_blind 1.0",
        "avisa_paused 0.0",
        'avisa_channel_paused{channel="email"} 0.0',
        "avisa_catalog_ok 1.0",
        "avisa_smtp_connections 2.0",
    ):
        assert f"\n{name}\n" in metrics
