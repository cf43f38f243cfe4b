"""What is compared with Avisa does the same work."""

from __future__ import annotations

from avisa.ports import Mail
from avisa.templates import template_folder
from tests.bench.__main__ import MAIL
from tests.bench.due import confirmed
from tests.bench.orders import NOON
from tests.templates.desk import SHIPPED, catalog


def test_smtp_source_sends_mails_of_our_size() -> None:
    desk = catalog(template_folder.read(SHIPPED)[0])
    decision = confirmed(1_000, desk.plan)
    [notification] = decision.notifications
    draft = desk.draft(notification, decision.order, NOON)
    mail = desk.compose(notification, draft)
    assert isinstance(mail, Mail)
    assert abs(len(mail.data) - MAIL) < MAIL / 20
