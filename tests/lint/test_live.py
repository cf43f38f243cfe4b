"""Messages held against what live events bring."""

from __future__ import annotations

from avisa.core.observed import ObservedVariables, Variable
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.lint import message
from avisa.lint.observed_variables import ENOUGH, of_live
from tests.templates import desk

HEAD = "---\nsubject: Order {{ order.number }}\nshort: Short.\n---\n"


def brought(status: str = "shipped", orders: int = 100, **known: int) -> ObservedVariables:
    """What so many orders had; two underscores stand for a dot."""
    return ObservedVariables(
        status=status,
        orders=orders,
        present=orders,
        variables=tuple(
            Variable(name=name.replace("__", "."), known=count, said=0, example="a") for name, count in known.items()
        ),
    )


def found(body: str, *seen: ObservedVariables, name: str = "shown") -> list[Diagnostic]:
    """What is said of a message that the small plan tells in `shipped`."""
    read = message.read(name, "en", HEAD + body, f"messages/{name}/en.md")
    assert read is not None
    return list(of_live(read, desk.usual().plan, seen))


def codes(body: str, *seen: ObservedVariables, name: str = "shown") -> list[str]:
    return [problem.code for problem in found(body, *seen, name=name)]


def test_a_value_that_is_counted_on_and_not_always_there_is_named_at_its_place() -> None:
    (problem,) = found("Olá {{ customer.first_name }},\n", brought(customer__first_name=82))
    assert problem.code == "not_always_seen"
    assert problem.severity == "warning"
    assert (problem.line, problem.column) == (5, 8)
    assert problem.message == (
        "`customer.first_name`: 18 of 100 orders in `shipped` have none, and nothing stands in for it"
    )


def test_what_is_always_there_is_not() -> None:
    assert codes("Olá {{ customer.first_name }}, {{ order.id }}", brought(customer__first_name=100)) == []


def test_something_in_its_place_is_enough() -> None:
    seen = brought(customer__first_name=1, order__url=1, reason=1, promise__date=1)
    for body in (
        "{% if customer.first_name %}Olá {{ customer.first_name }}{% else %}Olá{% endif %}",
        "{% if not customer.first_name %}Olá{% else %}Olá {{ customer.first_name }}{% endif %}",
        "Olá {{ customer.first_name | default('you') }}",
        "{{ customer.first_name if customer.first_name else 'you' }}",
        "{% if order.url %}{{ button('Look', order.url) }}{% endif %}",
        "{% if order.url and reason %}{{ reason }} {{ order.url }}{% endif %}",
        "{% if promise %}{{ promise.date | day }}{% endif %}",
        "{% if status == 'shipped' %}Olá{% endif %}",
    ):
        assert codes(body, seen) == [], body


def test_a_part_that_is_left_out_is_named() -> None:
    (problem,) = found(
        '{{ button("Look", order.url) }}\n\n{{ items(order.items) }}', brought(order__url=61, order__items=100)
    )
    assert problem.message.endswith("39 of 100 orders in `shipped` have none, and `button()` is left out then")


def test_the_subject_and_loops_are_looked_at_too() -> None:
    read = message.read("shown", "en", HEAD.replace("order.number", "customer.name") + "Hi.\n", "f")
    assert read is not None
    assert [problem.line for problem in of_live(read, desk.usual().plan, [brought(customer__name=1)])] == [2]
    body = "{% for item in order.items %}{{ customer.name }} {{ item.name }}{% endfor %}"
    assert codes(body, brought(customer__name=1, order__items=1)) == ["not_always_seen"]


def test_each_variable_is_named_once() -> None:
    assert codes("{{ customer.name }} {{ customer.name }}", brought(customer__name=1)) == ["not_always_seen"]


def test_only_the_statuses_of_the_message_count() -> None:
    body = "{{ customer.name }}"
    assert codes(body, brought("confirmed", customer__name=1)) == []
    reminder = found(
        body, brought(customer__name=99), brought("confirmed", customer__name=50), name="still-in-progress"
    )
    assert "51 of 200 orders in `shipped`, `confirmed`" in reminder[0].message
    unknown = found(body, brought("lost_at_sea", customer__name=0), name="unknown-status")
    assert "`lost_at_sea`" in unknown[0].message


def test_a_slip_of_the_pen_is_recognised_by_what_is_there_instead() -> None:
    body = "{% if order.trackng_url %}{{ order.trackng_url }}{% endif %}"
    (problem,) = found(body, brought(order__tracking_url=90))
    assert (problem.code, problem.suggestion) == ("never_seen", "order.tracking_url")
    assert codes(body, brought(order__tracking_url=90, orders=ENOUGH - 1)) == []
    assert codes("{% if order.gift %}For you.{% endif %}", brought(order__tracking_url=90)) == []
    assert codes("{% if reason %}{{ reason }}{% endif %}", brought(reason=0)) == []
