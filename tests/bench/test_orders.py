"""What is compared with Avisa does the same work."""

from __future__ import annotations

from service import events, template_folder
from service.core import decide
from service.core.model import OrderEvent, Position
from service.ports import Mail, Record
from tests.bench.__main__ import MAIL
from tests.bench.orders import NOON, records
from tests.rendering.desk import SHIPPED, catalog


def test_smtp_source_sends_mails_of_our_size() -> None:
    desk = catalog(template_folder.read(SHIPPED)[0])
    [(key, value)] = records(1_000, 1)
    position = Position(topic="t", partition=0, offset=0)
    event = events.read(Record(position=position, timestamp=NOON, key=key, headers=(), value=value))
    assert isinstance(event, OrderEvent)
    decision = decide.on_event(None, event, desk.plan, NOON)
    [notification] = decision.notifications
    draft = desk.draft(notification, decision.order, NOON)
    mail = desk.compose(notification, draft)
    assert isinstance(mail, Mail)
    assert abs(len(mail.data) - MAIL) < MAIL / 20
