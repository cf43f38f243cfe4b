"""A message from right to left is laid out so, and neither direction disturbs the other: in the page, in the text, in
headers."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.policy import SMTP
from itertools import pairwise
from pathlib import Path
from typing import Any
from unicodedata import bidirectional

import pytest

from avisa.core.retry import Verdict
from avisa.smtp.channel import EmailChannel
from avisa.templates.jinja.direction import Direction
from avisa.templates.layout.mirror import mirrored
from tests.kinds import from_right
from tests.mails import harness
from tests.mails.harness import asked
from tests.smtp.harness import CALM, relay_to
from tests.smtp.scripted import ScriptedRelay
from tests.templates import harness as templates
from tests.tools.parts import needs

FSI, PDI, LRM = "\u2068", "\u2069", "\u200e"
OF_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize("locale", "he iw ar ar-EG fa ur az-Arab pa-Arab pa-PK ks ckb yi ps sd dv ug uz-AF".split())
def test_these_are_written_from_right_to_left(locale: str) -> None:
    assert Direction.of(locale).name == "rtl"


@pytest.mark.parametrize("locale", "en pt-BR pt-PT es ca az pa ks-Deva sd-Deva he-Latn ur-Latn uz ku ja".split())
def test_and_these_from_left_to_right(locale: str) -> None:
    assert Direction.of(locale).name == "ltr"


# ---------------------------------------------------------------- the page

# `spot` is where the nth occurrence of a text within one text node is drawn; `lines` how many rectangles it has.
MEASURED = """(() => {
    const document = view.document;
    const spot = (text, nth = 0) => {
        const walker = document.createTreeWalker(document.querySelector(".card"), view.NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            for (let at = node.data.indexOf(text); at >= 0; at = node.data.indexOf(text, at + 1)) {
                if (nth-- > 0) continue;
                const range = document.createRange();
                range.setStart(node, at);
                range.setEnd(node, at + text.length);
                const box = range.getBoundingClientRect();
                return { left: box.left, right: box.right, top: box.top, lines: range.getClientRects().length };
            }
        }
        return null;
    };
    const box = (element) => (({ left, right, top, bottom }) => ({ left, right, top, bottom }))(
        element.getBoundingClientRect());
    const begin = (element) => {
        const range = document.createRange();
        range.selectNodeContents(element);
        return range.getClientRects()[0];
    };
    return {
        wide: document.documentElement.scrollWidth - width,
        sheet: box(document.querySelector(".sheet")),
        starts: [...document.querySelectorAll(".sheet > p, .sheet > h2")].map(begin),
        bars: [...document.querySelectorAll(".bars td")].map((it) => ({ ...box(it), next: it.className === "next" })),
        rows: [...document.querySelectorAll("td.line + td.line")]
            .map((it) => [it.previousElementSibling, it].map(box)),
        quotes: [...document.querySelectorAll("blockquote")].map((it) => view.getComputedStyle(it))
            .map((it) => [it.borderRightWidth, it.borderLeftWidth, it.paddingRight]),
        bullets: [...document.querySelectorAll("li")].map(box),
        spots: Object.fromEntries(SPOTS.map(([text, nth]) => [text + " " + nth, spot(text, nth)])),
    };
})()"""
STAGES = {
    "he": ("אושרה", "בייצור", "בדרך", "אצל השליח", "נמסרה"),
    "ar": ("مؤكد", "قيد التصنيع", "في الطريق", "مع المندوب", "تم التسليم"),
}


def measured(
    html: str, folder: Path, width: int, spots: list[tuple[str, int]], *, dark: bool = False
) -> dict[str, Any]:
    question = MEASURED.replace("SPOTS", str([list(it) for it in spots]))
    (found,) = asked(question, {"mail": html}, folder, widths=[width], dark=dark).values()
    return found


@needs("chromium")
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [320, 600])
@pytest.mark.parametrize("locale", from_right.LOCALES)
def test_a_page_from_right_to_left(locale: str, width: int, dark: bool, tmp_path: Path) -> None:
    rendered, _ = from_right.mailed(locale)
    ticks = [("✓", 0), ("✓", 1)]
    numbers = [(text, nth) for nth in range(3) for text in ("30", "cm")]
    stages = [(f"\u00a0{STAGES[locale][0]}", 0), (f"\u00a0{STAGES[locale][1]}", 0)]
    seen = measured(rendered.html, tmp_path, width, [*ticks, *stages, *numbers, ("+972", 0), ("4567", 0)], dark=dark)
    assert seen["wide"] <= 0
    inner = seen["sheet"]["right"] - 24
    assert seen["starts"], "there are paragraphs"
    assert all(abs(start["right"] - inner) < 2 for start in seen["starts"])  # each begins at the right
    assert all(one["right"] < inner - 8 for one in seen["bullets"])  # with room for the marker at its right
    assert seen["quotes"] == [["3px", "0px", "14px"]]
    lefts = [bar["left"] for bar in seen["bars"]]
    assert lefts == sorted(lefts, reverse=True)
    assert [bar["next"] for bar in seen["bars"]] == [False, False, False, True, True]
    for name, quantity in seen["rows"]:
        assert quantity["right"] <= name["left"] + 1
    spots = seen["spots"]
    for nth, stage in enumerate(stages):  # each tick touches its own stage, at the right of it
        tick, label = spots[f"✓ {nth}"], spots[f"{stage[0]} 0"]
        assert abs(tick["left"] - label["right"]) < 2
        assert tick["top"] == label["top"]
    for nth in range(3):
        thirty, cm = spots[f"30 {nth}"], spots[f"cm {nth}"]
        assert 0 < cm["left"] - thirty["right"] < 8  # a blank, and nothing else
        assert abs(cm["top"] - thirty["top"]) < 2
    assert spots["+972 0"]["left"] < spots["4567 0"]["left"]


@needs("chromium")
@pytest.mark.parametrize(
    "name", ["مزهرية زرقاء 30 cm", "אגרטל כחול, 30 cm", "Vase زرقاء 30 cm", "(30 cm) אגרטל", "30 cm אגרטל"]
)
@pytest.mark.parametrize("locale", ["en", "pt-BR"])
def test_a_measure_stays_in_one_piece_in_a_mail_from_left_to_right(locale: str, name: str, tmp_path: Path) -> None:
    items = [{"name": name, "quantity": 1}, {"name": "Cup", "quantity": 6}]
    rendered, _ = templates.mailed(
        harness.shipped(), "order-confirmed", customer_locale=locale, details_items=items, customer_name="דנה לוי"
    )
    seen = measured(rendered.html, tmp_path, 320, [("30", 0), ("cm", 0)])
    assert seen["wide"] <= 0
    thirty, cm = seen["spots"]["30 0"], seen["spots"]["cm 0"]
    assert 0 < cm["left"] - thirty["right"] < 8
    assert all(abs(start["left"] - seen["sheet"]["left"] - 24) < 2 for start in seen["starts"])
    for one, quantity in seen["rows"]:
        assert one["right"] <= quantity["left"] + 1
    assert "rtl" in rendered.html and 'dir="rtl" style="padding' not in rendered.html


@needs("chromium")
def test_a_hebrew_name_does_not_take_the_number_behind_it_along(tmp_path: Path) -> None:
    kept = templates.files(shown=templates.PLAIN.replace("Order {{ order.number }}.", "{{ customer.name }} 1042 ok"))
    rendered, _ = templates.mailed(templates.catalog_of(kept), customer_name="דנה לוי")
    spots = measured(rendered.html, tmp_path, 600, [("דנה לוי", 0), ("1042", 0)])["spots"]
    assert spots["דנה לוי 0"]["right"] < spots["1042 0"]["left"]


# ---------------------------------------------------------------- the text and the headers


async def read_back(locale: str, **known: Any) -> tuple[str, str, str]:
    """Subject, text and recipient of the mail as the mail server has them."""
    _, mail = from_right.mailed(locale, **known)
    async with ScriptedRelay() as server:
        channel = EmailChannel(relay_to(server, patience=CALM), jitter=lambda: 0.0)
        await channel.start()
        receipt = await channel.deliver(mail)
        await channel.stop(1)
    assert receipt.verdict is Verdict.ACCEPTED
    read = message_from_bytes(server.taken[0].data, policy=SMTP)
    text = read.get_body(("plain",)).get_content().replace("\r\n", "\n")
    return str(read["Subject"]), text, str(read["To"])


@pytest.mark.parametrize("locale", from_right.LOCALES)
async def test_the_text_is_isolated_on_its_way_to_the_server_and_back(locale: str) -> None:
    subject, text, to = await read_back(locale, customer_name="דנה לוי")
    assert f" {FSI}A-1042/7{PDI} " in subject
    assert f"{FSI}Vase, blue, 30 cm{PDI}" in text
    assert f"{FSI}אגרטל כחול, {FSI}30 cm{PDI}{PDI}" in text
    assert f"{FSI}+972 50 123-4567{PDI}" in text
    assert "דנה" in text and f"{FSI}דנה" not in text  # of the message's own direction
    assert to == "דנה לוי <ana.sousa@example.com>"
    for part in (subject, *text.splitlines()):
        assert part.count(FSI) == part.count(PDI)
    assert all(not OF_DIRECTION.search(line) for line in text.splitlines() if re.fullmatch(r"\S*https:\S+|-- ", line))
    assert len(re.findall(r"^https://\S+$", text, re.MULTILINE)) >= 2  # a link ends where it ends


def first_letters(line: str) -> set[str]:
    """What programs take a line's direction from: the first letter, with and without a look into isolates."""
    bare = line
    while (without := re.sub(f"{FSI}[^{FSI}{PDI}]*{PDI}", "", bare)) != bare:
        bare = without
    firsts = (next((c for c in text if bidirectional(c) in ("L", "R", "AL")), "L") for text in (line, bare))
    return {"L" if bidirectional(c) == "L" else "R" for c in firsts}


@pytest.mark.parametrize("name", ["Dana Levi", "דנה לוי"])
@pytest.mark.parametrize("locale", from_right.LOCALES)
async def test_each_line_of_the_text_reads_from_right_to_left(locale: str, name: str) -> None:
    subject, text, _ = await read_back(locale, customer_name=name)
    for line in filter(None, (subject, *text.splitlines())):
        of_letters = any(map(str.isalpha, line)) and not line.startswith("https://")
        assert first_letters(line) == {"R"} or not of_letters, line


def test_a_line_that_begins_with_a_hebrew_name_reads_from_left_to_right_in_english() -> None:
    shown = templates.SHOWN.replace(
        "Olá {{ customer.first_name }},", "{{ customer.name }}, here it is:\n\nשלום, hello."
    )
    rendered, mail = templates.mailed(
        templates.catalog_of(templates.files(shown=shown)), customer_name="דנה לוי", details_items=from_right.ITEMS
    )
    assert (
        rendered.subject
        == f"{LRM}{FSI}דנה לוי{PDI} · 1042"
        == str(message_from_bytes(mail.data, policy=SMTP)["Subject"])
    )
    assert f"\n{LRM}- 6 × {FSI}כוס{PDI}\n" in rendered.text
    assert "\nשלום, hello.\n" in rendered.text  # as the operator wrote it
    isolated = [line for line in rendered.text.splitlines() if FSI in line]
    assert isolated and all(first_letters(line) == {"L"} for line in isolated)


def test_an_amount_keeps_its_signs_in_a_subject() -> None:
    files = dict(from_right.files())
    file = "messages/shipped/he.md"
    files[file] = files[file].replace("בדרך אליך", "{{ order.total | default(0) | money }}", 1)
    rendered, mail = templates.mailed(
        templates.catalog_of(files), "shipped", customer_locale="he", **from_right.KNOWN
    )
    assert "\u200f129.90 \u200f€" in rendered.subject
    assert rendered.subject == str(message_from_bytes(mail.data, policy=SMTP)["Subject"])


async def test_a_reason_of_several_lines_is_isolated_line_by_line() -> None:
    rendered, _ = from_right.mailed("he", reason="One line.\nAnd another.")
    assert f"{FSI}One line.{PDI}\n" in rendered.text and f"{FSI}And another.{PDI}\n" in rendered.text
    one, other = (f'<bdi><span dir="ltr">{line}</span></bdi>' for line in ("One line.", "And another."))
    assert f"{one}<br>{other}" in rendered.html


async def test_a_subject_that_is_cut_closes_what_it_opened() -> None:
    rendered, mail = from_right.mailed("he", details_number="A" * 400)
    subject = str(message_from_bytes(mail.data, policy=SMTP)["Subject"])
    assert "…" in subject and subject.count(FSI) == subject.count(PDI) == 1
    assert rendered.subject.count(FSI) == rendered.subject.count(PDI)


@pytest.mark.parametrize(
    "sign", ["\u202e", "\u2066", "\u2067", "\u2068", "\u2069", "\u200f", "\u200e", "\u061c", "\u202b"]
)
@pytest.mark.parametrize("locale", ["en", *from_right.LOCALES])
def test_a_value_cannot_open_or_close_an_isolate(locale: str, sign: str) -> None:
    known = {"customer_name": f"Dana{sign}", "details_number": f"A{sign}{sign}1", "reason": f"{sign}x{sign}\n{sign}y"}
    with_signs, mail = from_right.mailed(locale, **known)
    without, _ = from_right.mailed(locale, **{key: value.replace(sign, "") for key, value in known.items()})
    assert with_signs == without
    assert not OF_DIRECTION.search(str(message_from_bytes(mail.data, policy=SMTP)["To"]))


@pytest.mark.parametrize("locale", harness.LOCALES)
@pytest.mark.parametrize("message", harness.messages())
def test_nothing_is_added_where_nothing_is_of_the_other_direction(message: str, locale: str) -> None:
    for sample in ("full", "odd"):
        rendered = harness.words(message, locale, sample)
        for text in (rendered.subject, rendered.short, rendered.text, rendered.html):
            assert not OF_DIRECTION.search(text)
        assert "<bdi>" not in rendered.html and " dir=" not in rendered.html


def test_an_attribute_and_the_title_hold_no_elements() -> None:
    kept = templates.files()
    kept["layout/layout.html"] = kept["layout/layout.html"].replace(
        "{{ content }}", "{{ content }}<p title=\"{{ order.note | default('') }}\">{{ order.note | default('') }}</p>"
    )
    rendered, _ = templates.mailed(templates.catalog_of(kept), details_note="כוס & 30 cm", customer_name="דנה לוי")
    assert '<p title="כוס &amp; 30 cm">' in rendered.html
    assert '<bdi><span dir="rtl">כוס &amp; <bdi><span dir="ltr">30 cm</span></bdi></span></bdi></p>' in rendered.html
    assert f"<title>{FSI}דנה לוי{PDI} · 1042</title>" in rendered.html


# ---------------------------------------------------------------- the mirror

RADIUS = '<p style="border-radius:{}">'
MIRRORED = {
    '<td align="right" style="padding:8px 0 8px 9px">': '<td align="left" style="padding:8px 9px 8px 0">',
    "<td ALIGN='left' align=\"center\">": "<td ALIGN='right' align=\"center\">",
    '<p style="padding: 0 0 0 14px !important; border-left:3px solid {{ brand.color }}">': (
        '<p style="padding:0 14px 0 0 !important; border-right:3px solid {{ brand.color }}">'
    ),
    '<p style="margin:0 auto;padding:12px 24px">': '<p style="margin:0 auto;padding:12px 24px">',
    RADIUS.format("9px"): RADIUS.format("9px"),
    RADIUS.format("1px 2px"): RADIUS.format("2px 1px 2px 1px"),
    RADIUS.format("1px 2px 3px"): RADIUS.format("2px 1px 2px 3px"),
    RADIUS.format("1px 2px 3px 4px"): RADIUS.format("2px 1px 4px 3px"),
    '<p style="float:left;text-align:right">': '<p style="float:right;text-align:left">',
    '<p style="border-top-left-radius:3px">': '<p style="border-top-right-radius:3px">',
    '<p style="border-color:red rgb(1, 2, 3) blue {{ brand.color }}">': (
        '<p style="border-color:red {{ brand.color }} blue rgb(1, 2, 3)">'
    ),
    '<td style="background:url(left.png) left top">': '<td style="background:url(left.png) right top">',
    '<td style="{% if order.left %}padding-left:2px{% endif %}">': (
        '<td style="{% if order.left %}padding-left:2px{% endif %}">'
    ),
    '<p class="left" title="left">go left</p>': '<p class="left" title="left">go left</p>',
    "<style>.left{margin-left:9px}@media screen{.a{padding:1px 2px 3px 4px!important}}</style>": (
        "<style>.left{margin-right:9px}@media screen{.a{padding:1px 4px 3px 2px!important}}</style>"
    ),
}


@pytest.mark.parametrize("html", MIRRORED)
def test_left_and_right_change_places(html: str) -> None:
    assert mirrored(html) == MIRRORED[html]


def test_a_layout_that_does_not_ask_for_the_direction_is_left_as_it_is() -> None:
    files = {**from_right.files()}
    for name in ("layout", "items", "progress"):
        file = f"layout/{name}.html"
        files[file] = files[file].replace(' dir="{{ dir }}"', "")
    catalog = templates.catalog_of(files)
    rendered, _ = templates.mailed(catalog, "shipped", customer_locale="he", **from_right.KNOWN)
    assert 'align="right"' in rendered.html and "border-left:3px" in rendered.html
    mirrored_one, _ = from_right.mailed("he")
    assert 'align="left"' in mirrored_one.html and "border-right:3px" in mirrored_one.html
    assert rendered.text.splitlines()[:20] == mirrored_one.text.splitlines()[:20]


def test_what_the_page_says_of_itself() -> None:
    for locale in from_right.LOCALES:
        html = from_right.mailed(locale)[0].html
        assert f'<html lang="{locale}" dir="rtl">' in html
        assert f'role="article" lang="{locale}" dir="rtl"' in html
        assert [*pairwise(re.findall(r"<table[^>]*>", html))]
        assert all(' dir="rtl"' in table for table in re.findall(r"<table[^>]*>", html) if "560" not in table)
