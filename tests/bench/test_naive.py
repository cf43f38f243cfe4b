"""The naive service sends the very mail that Avisa sends, so that neither has less to write."""

from __future__ import annotations

from types import SimpleNamespace

from jinja2 import Environment, FileSystemLoader

from avisa.ports import RenderedMessage
from avisa.templates.jinja.formats import Formats
from avisa.templates.renderer import fill
from tests.bench.checkout import PROJECT
from tests.bench.orders import event
from tests.mails import harness as mails

ZONE = "Europe/Lisbon"
PROMISED, NEXT = "2026-03-16", "2026-03-05"


def test_the_naive_service_and_avisa_write_the_same_mail() -> None:
    told = event(7)
    customer, order = told["customer"], told["details"]
    assert isinstance(customer, dict)
    assert isinstance(order, dict)
    stages = ("confirmed", "in_production", "shipped", "out_for_delivery", "delivered")
    compiled = mails.shipped().renderer.messages["order-confirmed"]["pt-PT"].compiled()
    assert compiled is not None
    ours = fill(
        compiled,
        {
            "customer": {"name": customer["name"], "first_name": str(customer["name"]).partition(" ")[0]},
            "order": {"id": told["order_id"], **order},
            "reminder": {"number": 0, "last": False},
            "brand": {
                "name": "Loja Azul",
                "color": "#1f5f8b",
                "on_color": "#ffffff",
                "url": "https://shop.example.com/",
            },
            "progress": [
                {"status": stage, "state": "next" if place else "now"} for place, stage in enumerate(stages)
            ],
            "promise": {"date": PROMISED, "state": "open"},
            "next_update": NEXT,
            "_zone": ZONE,
        },
    )
    assert isinstance(ours, RenderedMessage)
    formats = Formats("pt-PT")
    jinja = Environment(loader=FileSystemLoader(PROJECT / "tests" / "bench" / "naive"), autoescape=False)
    jinja.filters |= {"day": lambda value: formats.day(value, ZONE), "money": formats.money}
    values = {
        "customer": SimpleNamespace(**customer),
        "order": SimpleNamespace(**order),
        "promised": PROMISED,
        "next_update": NEXT,
    }
    html, text = (jinja.get_template(f"order-confirmed.{kind}").render(values) for kind in ("html", "txt"))
    assert text.split() == ours.text.split()
    assert html.split() == ours.html.split()
