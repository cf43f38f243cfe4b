"""A customer is greeted by the name that the event gives for it, else by the given name in a plain whole
name, and on any doubt without a name; and no placeholder of a program is ever taken for a name."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest

from avisa.core.first_names import first_name_in
from avisa.core.model import Json
from tests.templates.harness import mailed, usual

ADDRESS = "ana.sousa@example.com"

# What events say of the customer: how the mail greets, and the name in its `To:`.
MAILS: list[tuple[dict[str, Json], str, str]] = [
    # as the issue has them
    ({"customer_name": "null null"}, "Olá,", ""),
    ({"customer_name": "Exma. Sra. Ana Sousa"}, "Olá,", "Exma. Sra. Ana Sousa"),
    ({"customer_name": "Dr.ª Ana Sousa"}, "Olá,", "Dr.ª Ana Sousa"),
    ({"customer_name": "Ana Sousa, PhD"}, "Olá,", "Ana Sousa, PhD"),
    ({"customer_name": "Silva & Costa, Lda"}, "Olá,", ""),
    ({"customer_name": "Mr. & Mrs. Smith"}, "Olá,", ""),
    ({"customer_name": "Nguyễn Văn An"}, "Olá,", "Nguyễn Văn An"),
    # what the event says wins
    ({"customer_name": "Nguyễn Văn An", "customer_first_name": "An"}, "Olá An,", "Nguyễn Văn An"),
    ({"customer_name": "Nguyễn Văn An", "customer_given_name": "An"}, "Olá An,", "Nguyễn Văn An"),
    ({"customer_name": "Ana Sousa", "customer_first_name": "Aninhas"}, "Olá Aninhas,", "Ana Sousa"),
    ({"customer_first_name": "Ana", "customer_given_name": "Ana Maria"}, "Olá Ana,", "Ana Sousa"),
    ({"customer_first_name": "Maria João"}, "Olá Maria João,", "Ana Sousa"),
    ({"customer_first_name": "小龙"}, "Olá 小龙,", "Ana Sousa"),
    # but not a placeholder
    ({"customer_first_name": "null"}, "Olá Ana,", "Ana Sousa"),
    ({"customer_first_name": "undefined", "customer_given_name": "Rita"}, "Olá Rita,", "Ana Sousa"),
    ({"customer_first_name": " ", "customer_name": "N/A"}, "Olá,", ""),
    ({"customer_name": "Ana null"}, "Olá,", "Ana"),
    ({"customer_name": "undefined undefined"}, "Olá,", ""),
    ({"customer_name": "[object Object]"}, "Olá,", ""),
    ({"customer_name": None}, "Olá,", ""),
    ({"customer_name": "Jennifer Null"}, "Olá,", "Jennifer Null"),  # it is a family name too
]


@pytest.mark.parametrize(("known", "greeting", "to"), MAILS)
def test_a_mail_greets_by_name_only_without_doubt(known: dict[str, Json], greeting: str, to: str) -> None:
    rendered, mail = mailed(usual(), **known)
    assert rendered.text.splitlines()[0] == greeting
    assert f"{greeting}<" in rendered.html
    (mailbox,) = message_from_bytes(mail.data, policy=policy.default)["To"].addresses
    assert (mailbox.display_name, mailbox.addr_spec) == (to, ADDRESS)


# A whole name, and the given name in it, if there is no doubt.
NAMES = {
    "Ana Sousa": "Ana",
    "ANA SOUSA": "Ana",
    "ana sousa": "ana",
    "José-María García": "José-María",
    "Maria da Conceição dos Santos": "Maria",
    "Ana M. Sousa": "Ana",
    "John F Kennedy": "John",
    "Conan O'Brien": "Conan",
    "D'Angelo Russell": "D'Angelo",
    "Ludwig van Beethoven": "Ludwig",
    "Ørjan Ådland": "Ørjan",
    "Łukasz Żak": "Łukasz",
    "Γιώργος Παπαδόπουλος": "Γιώργος",
    "דנה כהן": "דנה",
    "محمد علي": "محمد",
    "प्रिया शर्मा": "प्रिया",
    # one word may be either
    "Ana": "",
    "O'Neill": "",
    "Müller": "",
    # initials
    "J. Smith": "",
    "J Smith": "",
    "Silva S.A.": "",
    "Silva S A": "",
    # the other order, and what may be it
    "Sousa, Ana": "",
    "李 小龙": "",
    "김 민준": "",
    "Иванов Иван": "",
    "Nguyen Van An": "",
    "Wang Xiaoming": "",
    "Kim Min-jun": "",
    "Nagy János": "",
    "de Vries Jan": "",
    "Abdul Rahman Khan": "",
    "عبد الرحمن محمد": "",
    "SOUSA Ana": "",
    "GARCÍA LÓPEZ Carmen": "",
    "ANA MARIA SOUSA": "Ana",
    "Ana SOUSA": "Ana",
    # titles, degrees, firms, more than one
    "Mr John Smith": "",
    "Dr. Ana Sousa": "",
    "Dra Ana Sousa": "",
    "Herr Max Müller": "",
    "Doña Carmen Ruiz": "",
    "Prof. Dr. Max Müller": "",
    "Max Müller MSc": "",
    "John Smith PhD": "",
    "John and Mary Smith": "",
    "Ana e Rui Sousa": "",
    "Família Sousa": "",
    "Padaria Silva Lda": "",
    "Acme Trading GmbH": "",
    "Hotel Aurora": "",
    "Firma Müller": "",
    "Padre Antonio": "",
    # nobody
    "Test User": "",
    "Guest Customer": "",
    "Consumidor Final": "",
    "None None": "",
    "First Last": "",
    "Não informado": "",
    "not set": "",
    "empty empty": "",
    "TBD TBD": "",
    "aaaa aaaa": "",
    "Gast Konto": "",
    "Max Mustermann": "",
    # no plain words
    "Ana Sousa 2": "",
    "Ana (casa) Sousa": "",
    "Ana/Rui Sousa": "",
    "Ana Sousa 😀": "",
    "Ana Соуса": "",
    "Your parcel is blocked": "",
    "x" * 41 + " Sousa": "",
    "Ana " * 9 + "Sousa": "",
    "": "",
}


@pytest.mark.parametrize(("name", "given"), NAMES.items())
def test_a_given_name_is_taken_without_doubt(name: str, given: str) -> None:
    assert first_name_in(name) == given


@pytest.mark.parametrize("locale", ["hu", "hu-HU", "HU_hu", "ja", "vi-VN"])
def test_the_customers_language_tells_the_order(locale: str) -> None:
    assert first_name_in("Magyar Anna", locale) == ""
    assert first_name_in("Magyar Anna", "en-HU") == "Magyar"
