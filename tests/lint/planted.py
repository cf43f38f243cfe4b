"""Mistakes of every kind, each planted in a copy of the shipped folder.

`‸` marks the place that the check has to report. The sign itself does not go into the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from avisa.core.model import Order
from tests.lint.orders import DAY, MONDAY, came, made_in, order

CARET = "‸"
SHIPPED = "messages/shipped/en.md"
PLAN = "plan.yaml"
LAYOUT = "layout/layout.html"
BRIEF = "---\nsubject: Order {{ order.number }}\nshort: Order {{ order.number }}\n---\nOrder {{ order.number }}.\n"

Edit = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class Planted:
    """One mistake, and the diagnostic that has to report it."""

    kind: str
    file: str
    edit: Edit
    code: str
    suggestion: str | None = None
    says: str = ""  # a piece of the message
    also: Mapping[str, Edit] = field(default_factory=dict)  # other files that the mistake needs changed
    orders: Sequence[Order] = ()  # in the store

    def in_texts(self, texts: Mapping[str, str]) -> tuple[dict[str, str], tuple[int | None, int | None]]:
        """The folder's texts with the mistake, and the line and column that must be named. To be quick, other
        messages are left out in all languages but one, and say little where the layout is mistaken."""
        near = re.match(r"messages/[^/]+/", self.file)
        texts = {
            file: text
            for file, text in texts.items()
            if not file.startswith("messages/")
            or file.endswith("/en.md")
            or (near and file.startswith((near[0], "messages/delivered/")))
        }
        if self.file.startswith("layout/"):
            texts |= {file: BRIEF for file in texts if file.startswith("messages/")}
        texts = {**texts, **{file: edit(texts.get(file, "")) for file, edit in self.also.items()}}
        if self.edit is removed:
            return {file: text for file, text in texts.items() if not file.startswith(self.file)}, (None, None)
        marked = self.edit(texts.get(self.file, ""))
        before, caret, after = marked.partition(CARET)
        assert caret, f"{self.kind}: nothing was planted"
        assert CARET not in after
        at = before.count("\n") + 1, len(before) - before.rfind("\n")
        return {**texts, self.file: before + after}, at


def added(text: str) -> Edit:
    """Below the message."""
    return lambda before: f"{before.rstrip()}\n\n{text}\n"


def instead(old: str, new: str) -> Edit:
    """In place of the first piece that matches the pattern `old`."""

    def edit(before: str) -> str:
        after, count = re.subn(old, lambda _: new, before, count=1, flags=re.MULTILINE)
        assert count, f"there is no {old!r}"
        return after

    return edit


def removed(_: str) -> str:
    """The file, or all in the folder, is taken away; there is no place in it then."""
    raise NotImplementedError


def _body(text: str) -> Edit:
    """In place of all that stands below the front matter."""
    return lambda before: "---".join(before.split("---")[:2]) + f"---\n{text}\n"


MISTAKES = (
    Planted(
        kind="a path as JSONPath has it",
        file=PLAN,
        edit=added("feeds: {shop.orders: {fields: {order_id: ‸$.order.id, status: state}}}"),
        code="bad_expression",
        suggestion="order.id",
    ),
    Planted(
        kind="a path that finds nothing in the samples of its topic",
        file=PLAN,
        edit=added("feeds: {shop.orders: {fields: {order_id: id, status: state, customer.email: ‸buyer.mail}}}"),
        code="unfilled_field",
        suggestion="buyer.email",
        says="customer.email: `buyer.mail` finds nothing in 1 of 2 samples",
        also={
            "samples/shop.orders.jsonl": lambda _: (
                '{"id": 1, "state": "shipped", "buyer": {"email": "ana@example.com"}}\n'
                '{"id": 1, "state": "shipped", "buyer": {"mail": "ana@example.com"}}\n'
            )
        },
    ),
    Planted(
        kind="an `if` that is never closed",
        file=SHIPPED,
        edit=added("{% ‸if order.gift %}It is wrapped."),
        code="syntax",
        suggestion="{% endif %}",
    ),
    Planted(
        kind="a placeholder that is never closed",
        file=SHIPPED,
        edit=added("Order ‸{{ order.number"),
        code="syntax",
        says="this `{{` is never closed",
        suggestion="}}",
    ),
    Planted(
        kind="a tag that does not exist",
        file=SHIPPED,
        edit=added("{% ‸iff order.gift %}It is wrapped.{% endif %}"),
        code="syntax",
        suggestion="if",
    ),
    Planted(
        kind="a name with a slip in it",
        file=SHIPPED,
        edit=added("{% if order.gift %}Dear {{ ‸customer.frist_name }}{% endif %}"),
        code="unknown_name",
        suggestion="customer.first_name",
        says="`customer` has first_name, name",
    ),
    Planted(
        kind="a filter that does not exist",
        file=SHIPPED,
        edit=added("{% if promise %}{{ promise.date | ‸dya }}{% endif %}"),
        code="unknown_filter",
        suggestion="day",
    ),
    Planted(
        kind="a component that does not exist",
        file=SHIPPED,
        edit=added('{{ ‸buton("Track it", order.url) }}'),
        code="unknown_component",
        suggestion="button",
    ),
    Planted(
        kind="a construct that is not allowed",
        file=SHIPPED,
        edit=added("{% ‸set greeting = 1 %}"),
        code="not_allowed",
        says="set is not allowed",
    ),
    Planted(
        kind="a value that may be missing, said without asking",
        file=SHIPPED,
        edit=added("{% if promise %}By {{ promise.date | day }}.{% endif %} Or {{ ‸promise.date | day }}?"),
        code="may_be_missing",
        suggestion="{% if promise.date %}…{% endif %}",
    ),
    Planted(
        kind="a date without a filter",
        file=SHIPPED,
        edit=added("{% if next_update %}By {{ ‸next_update }}.{% endif %}"),
        code="unformatted_date",
        suggestion="next_update | day",
    ),
    Planted(
        kind="a statement that crosses a paragraph",
        file=SHIPPED,
        edit=added("**‸{% if reason %}Note:** {{ reason }}{% endif %}"),
        code="crossing",
    ),
    Planted(
        kind="no subject",
        file=SHIPPED,
        edit=instead("^subject: .*$", "‸subject:"),
        code="missing_subject",
    ),
    Planted(
        kind="no short form",
        file=SHIPPED,
        edit=lambda text: re.sub(r"(?m)^short: .*\n---", f"{CARET}---", text, count=1),
        code="missing_short",
    ),
    Planted(
        kind="a key of the front matter with a slip in it",
        file=SHIPPED,
        edit=instead("^subject:", "‸subjet:"),
        code="unknown_key",
        suggestion="subject",
    ),
    Planted(
        kind="a language that is missing",
        file="messages/shipped/ca.md",
        edit=removed,
        code="missing_locale",
    ),
    Planted(
        kind="no message for something new that owners are told",
        file="messages/several-orders/",
        edit=removed,
        code="shipped_message",
    ),
    Planted(
        kind="a subject that is too long",
        file=SHIPPED,
        edit=instead("^subject: ", "subject: ‸By the way, and because you asked us so kindly to keep you informed: "),
        code="long_subject",
    ),
    Planted(
        kind="a message of which nothing may be left",
        file=SHIPPED,
        edit=_body("‸{% if reason %}{{ reason }}{% endif %}"),
        code="empty_result",
        says="sample `bare`",
    ),
    Planted(
        kind="a placeholder in one brace",
        file=SHIPPED,
        edit=added("Your order ‸{ order.number }."),
        code="stray_brace",
        suggestion="{{ … }}",
    ),
    Planted(
        kind="a slip in a name that may be missing",
        file=SHIPPED,
        edit=added('{{ button("Look", ‸order.ulr) }}'),
        code="unlikely_name",
        suggestion="order.url",
    ),
    Planted(
        kind="a file with an ending that an editor hid",
        file="messages/shipped/fr.md.txt",
        edit=lambda _: "‸x",
        code="not_read",
        suggestion="messages/shipped/fr.md",
    ),
    Planted(
        kind="words for a language that is none",
        file="layout/words.yaml",
        edit=instead("^pt-PT:", "‸pt_pt:"),
        code="layout_words",
        suggestion="pt-PT",
    ),
    Planted(
        kind="a language without words of the layout",
        file="layout/words.yaml",
        edit=lambda before: "‸" + before,
        also={"messages/shipped/fr.md": lambda _: "---\nsubject: a\nshort: b\n---\nc\n"},
        code="missing_locale",
        says="`fr`",
    ),
    Planted(
        kind="a link without a scheme",
        file=SHIPPED,
        edit=added("Our shop is at www.example.com: [look](‸www.example.com)."),
        code="link_scheme",
        suggestion="https://www.example.com",
    ),
    Planted(
        kind="a link with a scheme that mails do not carry",
        file=SHIPPED,
        edit=added("[Look](‸ftp://files.example.com/plan.pdf)."),
        code="link_scheme",
    ),
    Planted(
        kind="a button that leads nowhere",
        file=SHIPPED,
        edit=added('{{ button("Our shop", ‸"shop.example.com") }}'),
        code="link_scheme",
        suggestion="https://shop.example.com",
    ),
    Planted(
        kind="a link that is not encrypted",
        file=SHIPPED,
        edit=added("[Look](‸http://shop.example.com)."),
        code="insecure_link",
        suggestion="https://shop.example.com",
    ),
    Planted(
        kind="bold with a blank in the way",
        file=SHIPPED,
        edit=added("It comes ‸** today **."),
        code="markdown_is_text",
        suggestion="**…**",
    ),
    Planted(
        kind="a table",
        file=SHIPPED,
        edit=added("‸| one | two |\n|---|---|\n| 1 | 2 |"),
        code="markdown_is_text",
        says="a list",
    ),
    Planted(
        kind="a link with a blank in it",
        file=SHIPPED,
        edit=added("Look at [our shop]‸ (https://shop.example.com)."),
        code="markdown_is_text",
        suggestion="[…](…)",
    ),
    Planted(
        kind="a comparison that is never true",
        file=SHIPPED,
        edit=added('{% if status == ‸"shiped" %}It left.{% endif %}'),
        code="always_the_same",
        suggestion='"shipped"',
    ),
    Planted(
        kind="a filter that cannot write the value",
        file=SHIPPED,
        edit=added("{{ ‸order.number | date }}"),
        code="not_written",
        says="is no date",
    ),
    Planted(
        kind="a message for owners at a touchpoint",
        file="plan.yaml",
        edit=instead("message: shipped", "message: ‸order-stuck"),
        code="told_to_both",
    ),
    Planted(
        kind="warnings of dates that nothing keeps",
        file="plan.yaml",
        edit=lambda text: text.replace("    fulfils_promise: true", "    fulfils_promise: false").replace(
            "promise: {warn_before: 48h}", f"promise: {{{CARET}warn_before: 48h}}", 1
        ),
        code="never_kept",
    ),
    Planted(
        kind="a question to the owner that comes with the warning",
        file="plan.yaml",
        edit=instead("promise: {warn_before: 12h}", "promise: {warn_before: 12h, ask_owner_before: ‸12h}"),
        code="asked_too_late",
    ),
    Planted(
        kind="a status with a slip in it",
        file="plan.yaml",
        edit=instead("  delivered:", "  ‸deliverd:"),
        code="unlikely_status",
        suggestion="delivered",
    ),
    Planted(
        kind="a stage with a slip in it",
        file="layout/words.yaml",
        edit=instead("    shipped: On its way", "    ‸shiped: On its way"),
        code="unlikely_status",
        suggestion="shipped",
    ),
    Planted(
        kind="a style for an element that Markdown does not make",
        file="layout/theme.yaml",
        edit=instead("^blockquote:", "‸blockqoute:"),
        code="layout_theme",
        suggestion="blockquote",
    ),
    Planted(
        kind="a placeholder in the theme",
        file="layout/theme.yaml",
        edit=instead('^a: "color:#1c5d86"', 'a: ‸"color:{{ brand.color }}"'),
        code="layout_theme",
        says="no placeholders",
    ),
    Planted(
        kind="a placeholder in a stage",
        file="layout/words.yaml",
        edit=instead("    shipped: On its way", "    ‸shipped: On its way to {{ customer.name }}"),
        code="layout_words",
    ),
    Planted(
        kind="a name between the signs of another program",
        file=SHIPPED,
        edit=added("Your order ‸[[order.number]]."),
        code="stray_brace",
        suggestion="{{ order.number }}",
    ),
    Planted(
        kind="a remark as HTML has them",
        file=SHIPPED,
        edit=added("‸<!-- ask Rita -->"),
        code="html_is_text",
        suggestion="{# … #}",
    ),
    Planted(
        kind="Markdown in the subject",
        file=SHIPPED,
        edit=instead("subject: Your order", "subject: ‸**Your** order"),
        code="markdown_is_text",
    ),
    Planted(
        kind="a picture in a message",
        file=SHIPPED,
        edit=added("‸![](https://shop.example.com/box.png)"),
        code="image_is_text",
    ),
    Planted(
        kind="a picture of the layout without `alt`",
        file=LAYOUT,
        edit=instead('(?=<div class="page")', '‸<img src="https://shop.example.com/box.png">'),
        code="no_alt",
        suggestion='alt=""',
    ),
    Planted(
        kind="HTML in a message",
        file=SHIPPED,
        edit=added("It comes ‸<b>today</b>."),
        code="html_is_text",
    ),
    Planted(
        kind="a message that is too long",
        file=SHIPPED,
        edit=_body(
            "‸"
            + "Your order is on its way. " * 40
            + "[Look](https://shop.example.com). {% if next_update %}{{ next_update | day }}{% endif %}"
        ),
        code="long_message",
    ),
    Planted(
        kind="a message without a next step",
        file="messages/delivered/en.md",
        edit=_body("‸Your order has been delivered."),
        code="no_next_step",
    ),
    Planted(
        kind="a window, and no next date in the message",
        file=SHIPPED,
        edit=_body("‸Your order is on its way. {% if next_step %}{{ next_step }}{% endif %}"),
        code="no_next_update",
        says="`shipped` has a window",
    ),
    Planted(
        kind="a language that says less than the others",
        file="messages/shipped/es.md",
        edit=_body(
            "‸Tu pedido está en camino. {% if next_step %}{{ next_step }}{% endif %}"
            "{% if next_update %}{{ next_update | day }}{% endif %}"
        ),
        code="says_less",
        says="`button()`",
    ),
    Planted(
        kind="CSS that mail programs do not know",
        file=LAYOUT,
        edit=instead(r"^\.next", ".tail{‸position:fixed}\n.next"),
        code="weak_css",
    ),
    Planted(
        kind="CSS in the theme that mail programs do not know",
        file="layout/theme.yaml",
        edit=instead('^hr: "', 'hr: "‸position:fixed;'),
        code="weak_css",
    ),
    Planted(
        kind="HTML that mail programs do not know",
        file=LAYOUT,
        edit=instead('(?=<div class="page")', "‸<bdi></bdi>"),
        code="weak_html",
    ),
    Planted(
        kind="HTML that does not hold together",
        file=LAYOUT,
        edit=instead('(?=<div class="page")', "<table><tr>‸<div></div></tr></table>"),
        code="layout_html",
        says="between the parts of a `<tr>`",
    ),
    Planted(
        kind="an element that is not for mails",
        file=LAYOUT,
        edit=instead('(?=<div class="page")', '<p>‸<button type="submit">Track it</button></p>'),
        code="not_for_mails",
        suggestion='<a href="…">',
        says="`<button>` cannot stand in a mail",
    ),
    Planted(
        kind="a picture from elsewhere",
        file=LAYOUT,
        edit=instead('(?=<div class="page")', '<img alt="" ‸src="https://pixel.example.net/open.gif">'),
        code="remote_picture",
        says="`pixel.example.net`",
    ),
    Planted(
        kind="a mail that is too heavy",
        file=SHIPPED,
        edit=_body(
            "‸{% for a in order.items %}\n\n{% for b in order.items %}\n\n"
            + "## A heading of a few words\n\n" * 130
            + "{% endfor %}\n\n{% endfor %}"
        ),
        code="heavy_mail",
    ),
    Planted(
        kind="a colour that is hard to see",
        file=PLAN,
        edit=instead('color: "#[0-9a-f]+"', 'color: ‸"#9adcf5"'),
        code="low_contrast",
    ),
    Planted(
        kind="a key of the plan with a slip in it",
        file=PLAN,
        edit=instead("^    window: 3d$", "    ‸widnow: 3d"),
        code="unknown_key",
        suggestion="window",
    ),
    Planted(
        kind="a span of time in words",
        file=PLAN,
        edit=instead("^    window: 3bd", "    window: ‸3 working days"),
        code="bad_duration",
        suggestion="3bd",
    ),
    Planted(
        kind="an owner that does not exist",
        file=PLAN,
        edit=instead("owner: production$", "owner: ‸prodution"),
        code="unknown_name",
        suggestion="production",
    ),
    Planted(
        kind="a message that nobody has written",
        file=PLAN,
        edit=instead("message: shipped$", "message: ‸shiped"),
        code="missing_message",
        suggestion="shipped",
    ),
    Planted(
        kind="working days without a calendar",
        file=PLAN,
        edit=instead("^    window: 3d$", "    window: ‸3bd"),
        code="needs_calendar",
    ),
    Planted(
        kind="owners who ask each other",
        file=PLAN,
        edit=instead(
            r"production@example.com}\n  delivery: {name: Delivery, email: delivery@example.com}",
            "production@example.com, next: ‸delivery}\n"
            "  delivery: {name: Delivery, email: delivery@example.com, next: production}",
        ),
        code="circle",
    ),
    Planted(
        kind="no owner",
        file=PLAN,
        edit=lambda text: text.replace("  owner: care\n  channels", "  channels").replace(
            "  shipped:\n    message: shipped\n    owner: delivery\n", f"  {CARET}shipped:\n    message: shipped\n"
        ),
        code="no_owner",
    ),
    Planted(
        kind="news of a detail that nobody sends",
        file=PLAN,
        edit=lambda text: text.replace("    news: [tracking, url]", f"    news: {CARET}[traking, url]"),
        code="unseen_news",
        suggestion="tracking",
    ),
    Planted(
        kind="no way to a final status",
        file=PLAN,
        edit=instead("^unknown_status:", "  ‸returned:\n    message: generic\n\nunknown_status:"),
        code="no_way_to_end",
        suggestion="final: true",
    ),
    Planted(
        kind="a silence that could last too long",
        file=PLAN,
        edit=lambda text: text.replace(
            "  window: 48h                               #",
            "  longest_silence: 5d\n  window: 48h                               #",
        ).replace("    window: 3bd", f"    window: {CARET}3bd"),
        code="long_silence",
    ),
    Planted(
        kind="a calendar that closes a minute before midnight",
        file=PLAN,
        edit=instead('hours: "mon-fri 09:00-18:00"', f'hours: {CARET}"mon-fri 00:00-23:59"'),
        code="almost_midnight",
        suggestion="24:00",
    ),
    Planted(
        kind="a single day that closes a minute before midnight",
        file=PLAN,
        edit=instead("^    closed:", f'    hours_on: {CARET}{{2026-12-23: "00:00-23:59"}}\n    closed:'),
        code="almost_midnight",
        suggestion="24:00",
    ),
    Planted(
        kind="a word that the brand forbids",
        file=SHIPPED,
        edit=added("Your ‸SKU is 4711."),
        code="forbidden_word",
        also={PLAN: instead("^    reply_to:", "    forbidden_words: [SKU]\n    reply_to:")},
    ),
    Planted(
        kind="a sample with a status that the plan does not know",
        file="samples.jsonl",
        edit=lambda _: '{"order_id": "A-1042", "status": "‸shiped"}\n',
        code="unplanned_status",
        suggestion="shipped",
    ),
    Planted(
        kind="a sample that would become a dead letter",
        file="samples.jsonl",
        edit=lambda _: '‸{"order_id": "A-1042"}\n',
        code="bad_sample",
    ),
    Planted(
        kind="real orders with a status that the plan does not know",
        file=PLAN,
        edit=instead("^touchpoints:", "‸touchpoints:"),
        code="unplanned_status",
        suggestion="in_production",
        orders=[order(("in_producton", MONDAY))] * 3,
    ),
    Planted(
        kind="a window that real orders do not keep",
        file=PLAN,
        edit=instead("window: 3bd", "window: ‸3bd"),
        code="broken_window",
        says="in_production: window 3bd; 40 % of 1,200 orders took longer; 6bd would hold for 90 %",
        orders=[*made_in(*[DAY] * 720, *[8 * DAY] * 480)],
    ),
    Planted(
        kind="a promise that real orders do not keep",
        file=PLAN,
        edit=instead("^  delivered:", "  ‸delivered:"),
        code="broken_promise",
        says="delivered: 40 % of 20 promises were broken; 2 days more would hold for 90 %",
        orders=[*(came(timedelta(days=1)) for _ in range(12)), *(came(timedelta(days=4)) for _ in range(8))],
    ),
    Planted(
        kind="promises that are all for midnight in UTC",
        file=PLAN,
        edit=lambda text: text + "events:\n  ‸promised_at: moment\n",
        code="midnight_promises",
        suggestion="events: {promised_at: day}",
        says="orders.status: all of 20 promises are for midnight in UTC",
        orders=[order(("shipped", MONDAY), promised=f"2026-03-{day:02}T00:00:00Z") for day in range(5, 25)],
    ),
)
