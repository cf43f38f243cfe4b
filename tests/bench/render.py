"""`python -m tests.bench.render`: what a mail's words cost, step by step, in processor time.

Every shipped message is pressed in every language, and told of every sample order. The best of several rounds counts,
because whatever else the machine did can only have made one longer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from avisa.catalog import Catalog
from avisa.core import samples
from avisa.core.model import Notification, Order
from avisa.ports import Draft
from avisa.templates import template_folder
from avisa.templates.compile_folder import MESSAGE, owners_messages
from avisa.templates.compile_message import compile_message
from avisa.templates.layout.layout import Layout
from avisa.templates.layout.layout import read as read_layout
from tests.bench.numbers import figure, table
from tests.bench.orders import NOON
from tests.templates.harness import SHIPPED, catalog_of

ROUNDS = 7


def main() -> None:
    """Measure and print."""
    files, _ = template_folder.read(SHIPPED)
    shipped = catalog_of(files)
    layout = read_layout(files)
    assert isinstance(layout, Layout)

    def pressed() -> int:
        """Every message once."""
        owners = owners_messages(shipped.plan)
        found = [(file, match) for file in files if (match := MESSAGE.fullmatch(file))]
        for file, match in found:
            name, locale = match.groups()
            compile_message(files[file], file=file, locale=locale, layout=layout, for_owner=name in owners)
        return len(found)

    mails = list(_mails(shipped))

    def for_each(step: Callable[[Order, Notification, Draft], object]) -> Callable[[], int]:
        def done() -> int:
            for mail in mails:
                step(*mail)
            return len(mails)

        return done

    steps = {
        "press a message, when it is saved": pressed,
        "draft a mail": for_each(lambda order, notification, _: shipped.draft(notification, order, NOON)),
        "fill it": for_each(lambda _, __, draft: shipped.render(draft)),
        "fill it and put it into its envelope": for_each(
            lambda _, notification, draft: shipped.compose(notification, draft)
        ),
    }
    rows = [[name, figure(_best(step))] for name, step in steps.items()]
    print(table(["", "CPU µs"], rows))


def _mails(shipped: Catalog) -> Iterator[tuple[Order, Notification, Draft]]:
    for message in shipped.renderer.names():
        for order, notification in samples.samples(message, shipped.plan, NOON).values():
            draft = shipped.draft(notification, order, NOON)
            assert isinstance(draft, Draft), draft
            yield order, notification, draft


def _best(step: Callable[[], int]) -> float:
    """Microseconds of processor time for one, in the best round."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        many = step()
        best = min(best, (time.process_time() - began) * 1e6 / many)
    return best


if __name__ == "__main__":
    main()
