"""What is compared with Avisa does the same work."""

from __future__ import annotations

from avisa.ports import Mail
from avisa.templates import template_folder
from tests.bench.due import confirmed
from tests.bench.orders import NOON
from tests.bench.turns import MAIL
from tests.templates.harness import SHIPPED, catalog_of


def test_smtp_source_sends_mails_of_our_size() -> None:
    catalog = catalog_of(template_folder.read(SHIPPED)[0])
    decision = confirmed(1_000, catalog.plan)
    [notification] = decision.notifications
    draft = catalog.draft(notification, decision.order, NOON)
    mail = catalog.compose(notification, draft)
    assert isinstance(mail, Mail)
    assert abs(len(mail.data) - MAIL) < MAIL / 20
