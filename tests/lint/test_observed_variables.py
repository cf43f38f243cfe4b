"""Messages compared with the variables observed in live events."""

from __future__ import annotations

from avisa.core.observed import ObservedVariables, Variable
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.lint import message
from avisa.lint.observed_variables import ENOUGH, check_message
from tests.templates import harness as templates

HEAD = "---\nsubject: Order {{ order.number }}\nshort: Short.\n---\n"


def observed(status: str = "shipped", orders: int = 100, **known: int) -> ObservedVariables:
    """So many of `orders` had each variable; two underscores stand for a dot."""
    return ObservedVariables(
        status=status,
        orders=orders,
        present=orders,
        variables=tuple(
            Variable(name=name.replace("__", "."), known=count, said=0, example="a") for name, count in known.items()
        ),
    )


def found(body: str, *seen: ObservedVariables, name: str = "shown") -> list[Diagnostic]:
    """The diagnostics of a message that the small plan sends in `shipped`."""
    read = message.read(name, "en", HEAD + body, f"messages/{name}/en.md")
    assert read is not None
    return list(check_message(read, templates.usual().plan, seen))


def codes(body: str, *seen: ObservedVariables, name: str = "shown") -> list[str]:
    return [problem.code for problem in found(body, *seen, name=name)]


def test_a_variable_that_is_counted_on_and_not_always_there_is_reported_at_its_place() -> None:
    (problem,) = found("Olá {{ customer.first_name }},\n", observed(customer__first_name=82))
    assert problem.code == "not_always_seen"
    assert problem.severity == "warning"
    assert (problem.line, problem.column) == (5, 8)
    assert problem.message == (
        "`customer.first_name`: 18 of 100 orders in `shipped` have none, and nothing stands in for it"
    )


def test_a_variable_that_all_orders_have_is_not_reported() -> None:
    assert codes("Olá {{ customer.first_name }}, {{ order.id }}", observed(customer__first_name=100)) == []


def test_a_variable_with_a_condition_or_default_is_not_reported() -> None:
    seen = observed(customer__first_name=1, order__url=1, reason=1, promise__date=1)
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


def test_a_component_that_would_be_left_out_is_named() -> None:
    (problem,) = found(
        '{{ button("Look", order.url) }}\n\n{{ items(order.items) }}', observed(order__url=61, order__items=100)
    )
    assert problem.message.endswith("39 of 100 orders in `shipped` have none, and `button()` is left out then")


def test_variables_in_subjects_and_loops_are_checked_too() -> None:
    read = message.read("shown", "en", HEAD.replace("order.number", "customer.name") + "Hi.\n", "f")
    assert read is not None
    assert [
        problem.line for problem in check_message(read, templates.usual().plan, [observed(customer__name=1)])
    ] == [2]
    body = "{% for item in order.items %}{{ customer.name }} {{ item.name }}{% endfor %}"
    assert codes(body, observed(customer__name=1, order__items=1)) == ["not_always_seen"]


def test_each_variable_is_reported_once() -> None:
    assert codes("{{ customer.name }} {{ customer.name }}", observed(customer__name=1)) == ["not_always_seen"]


def test_only_orders_in_the_statuses_of_the_message_count() -> None:
    body = "{{ customer.name }}"
    assert codes(body, observed("confirmed", customer__name=1)) == []
    reminder = found(
        body, observed(customer__name=99), observed("confirmed", customer__name=50), name="still-in-progress"
    )
    assert "51 of 200 orders in `shipped`, `confirmed`" in reminder[0].message
    unknown = found(body, observed("lost_at_sea", customer__name=0), name="unknown-status")
    assert "`lost_at_sea`" in unknown[0].message


def test_a_misspelt_detail_is_recognised_by_one_that_orders_have() -> None:
    body = "{% if order.trackng_url %}{{ order.trackng_url }}{% endif %}"
    (problem,) = found(body, observed(order__tracking_url=90))
    assert (problem.code, problem.suggestion) == ("never_seen", "order.tracking_url")
    assert codes(body, observed(order__tracking_url=90, orders=ENOUGH - 1)) == []
    assert codes("{% if order.gift %}For you.{% endif %}", observed(order__tracking_url=90)) == []
    assert codes("{% if reason %}{{ reason }}{% endif %}", observed(reason=0)) == []
