"""What an experienced FastStream user writes on one screen, and what Avisa is measured against.

A handler a message, `EmailMessage`, Jinja2 with Babel, no database, no log line a message; run by `faststream run`,
which takes uvloop. It knows no windows, no repeats, no order and no crash. `NAIVE_CONNECTION=each` opens a
connection for each mail, `kept` keeps one.
"""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from decimal import Decimal
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
from babel.dates import format_date
from babel.numbers import format_currency
from faststream import FastStream
from faststream.kafka import KafkaBroker
from jinja2 import Environment, FileSystemLoader, pass_context, select_autoescape
from jinja2.runtime import Context
from pydantic import BaseModel


class Customer(BaseModel):
    name: str
    email: str
    locale: str


class Item(BaseModel):
    name: str
    quantity: int


class Details(BaseModel):
    number: str
    url: str
    items: list[Item]
    total: Decimal
    currency: str


class OrderStatus(BaseModel):
    order_id: str
    status: str
    occurred_at: datetime
    customer: Customer
    promised_at: date
    details: Details


@pass_context
def day(context: Context, value: date) -> str:
    return format_date(value, "full", locale=context["locale"])


@pass_context
def money(context: Context, value: Decimal, currency: str) -> str:
    return format_currency(value, currency, locale=context["locale"])


environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape(["html"]))
environment.filters |= {"day": day, "money": money}
html, plain = (environment.get_template(f"order-confirmed.{kind}") for kind in ("html", "txt"))

relay: dict[str, Any] = {"hostname": "127.0.0.1", "port": int(os.environ["NAIVE_SMTP_PORT"]), "start_tls": False}
kept = aiosmtplib.SMTP(**relay) if os.environ["NAIVE_CONNECTION"] == "kept" else None
broker = KafkaBroker(os.environ["NAIVE_SERVERS"], logger=None)
app = FastStream(broker, logger=None)


@app.on_startup
async def connect() -> None:
    if kept:
        await kept.connect()


@broker.subscriber(os.environ["NAIVE_TOPIC"], group_id="naive", auto_offset_reset="earliest")
async def tell(event: OrderStatus) -> None:
    customer, order = event.customer, event.details
    values = {
        "customer": customer,
        "order": order,
        "locale": customer.locale.replace("-", "_"),
        "promised": event.promised_at,
        "next_update": event.occurred_at + timedelta(hours=24),
    }
    mail = EmailMessage()
    mail["From"] = Address("Loja Azul", addr_spec="avisos@example.com")
    mail["To"] = Address(customer.name, addr_spec=customer.email)
    mail["Subject"] = f"Recebemos a sua encomenda {order.number}"
    mail.set_content(plain.render(values))
    mail.add_alternative(html.render(values), subtype="html")
    if kept:
        await kept.send_message(mail)
    else:
        await aiosmtplib.send(mail, **relay)
