"""The shipped mails as they are read: by eyes on any screen, by a screen reader, without pictures, as text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from avisa.preview import screenshots
from tests.mails import harness
from tests.tools.contrast import contrast, luminance, rgb
from tests.tools.parts import needs
from tests.tools.picture import pixels

EVERY = [
    pytest.param(message, locale, id=f"{message}-{locale}")
    for message in harness.messages()
    for locale in harness.LOCALES
]
WIDTHS = (320, 600, 1200)
LARGEST = 8_000  # bytes of HTML; the aim was 30,000
REACH = 44  # CSS pixels that a finger needs (WCAG 2.2, 2.5.5)
SMALLEST = 13  # CSS pixels of letters

# What judges a page of its own does not judge a mail, which is shown inside the page of a mail program.
PAGES_ONLY = ("landmark-one-main", "region")
LOOKED_AT = {"color-contrast", "html-has-lang", "document-title", "link-name", "page-has-heading-one", "target-size"}
GUIDELINES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


class Read(HTMLParser):
    """What a mail consists of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.paragraphs: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("p", "li", "td", "h1"):
            self.paragraphs.append("")
        elif tag == "br":
            self.handle_data("\n")

    def handle_data(self, data: str) -> None:
        if self.paragraphs:
            self.paragraphs[-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for its_tag, attributes in self.tags if its_tag == tag]


@pytest.mark.parametrize(("message", "locale"), EVERY)
def test_a_mail_is_small_and_fetches_nothing(message: str, locale: str) -> None:
    html = harness.words(message, locale).html
    assert len(html.encode()) < LARGEST
    read = Read(html)
    fetching = {"src", "srcset", "background", "poster", "data"}
    assert [tag for tag, attributes in read.tags if fetching & attributes.keys() or tag in ("link", "script")] == []
    assert not re.search(r"url\(|@import|@font-face", html)


@pytest.mark.parametrize(("message", "locale"), EVERY)
def test_a_mail_says_its_language_and_what_is_a_heading(message: str, locale: str) -> None:
    read = Read(harness.words(message, locale).html)
    languages = [attributes.get("lang") for tag, attributes in read.tags if "lang" in attributes]
    assert languages == [locale, locale]  # of the page, and of what webmail leaves of it
    assert len(read.all("h1")) == len(read.all("title")) == 1
    assert all(table.get("role") == "presentation" for table in read.all("table"))


@pytest.mark.parametrize(("message", "locale"), EVERY)
def test_the_text_says_all_that_the_page_says(message: str, locale: str) -> None:
    rendered = harness.words(message, locale)
    text = " ".join(re.sub(r" \(https:\S+\)", "", rendered.text).split())  # the addresses of links
    for paragraph in Read(rendered.html).paragraphs[1:]:  # the first is the name of the shop
        for sentence in re.split(r"(?<=[.:]) | · |✓ |× ", " ".join(paragraph.split())):
            assert sentence.strip() in text, sentence


def test_the_way_of_an_order_reads_well_as_text() -> None:
    assert (
        "✓ Confirmed · In production (now) · On its way · Out for delivery · Delivered\n"
        in harness.words("in-production", "en").text
    )


def everyone(*locales: str) -> dict[str, str]:
    return {
        f"{message} {locale}": harness.words(message, locale).html
        for message in harness.messages()
        for locale in locales
    }


DISABLED = ", ".join(f"'{rule}': {{ enabled: false }}" for rule in PAGES_ONLY)
JUDGED = f"""(async () => {{
    const {{ violations, incomplete, passes }} = await axe.run(
        view.document, {{ runOnly: {list(GUIDELINES)}, rules: {{ {DISABLED} }} }});
    const why = (node) => node.target + " " + node.any.map((each) => each.message);
    const told = (found) => found.map((it) => it.id + ": " + it.nodes.map(why));
    return {{ wrong: told(violations), unsure: told(incomplete), passed: passes.map((it) => it.id),
              dark: view.matchMedia("(prefers-color-scheme: dark)").matches }};
}})()"""


@needs("chromium")
@pytest.mark.parametrize(
    ("locales", "width", "dark"),
    [(harness.LOCALES, 600, False), (("en",), 320, False), (("ca",), 320, True), (("es",), 1200, True)],
)
def test_axe_finds_no_fault_in_any_mail(locales: tuple[str, ...], width: int, dark: bool, tmp_path: Path) -> None:
    judged = harness.asked(JUDGED, everyone(*locales), tmp_path, widths=[width], dark=dark)
    for name, found in judged.items():
        assert (name, found["wrong"], found["unsure"]) == (name, [], [])
        assert set(found["passed"]) >= LOOKED_AT
        assert found["dark"] is dark


@needs("chromium")
def test_axe_finds_a_fault_that_was_planted(tmp_path: Path) -> None:
    html = harness.words("in-production", "en").html
    spoilt = {
        "html-has-lang": html.replace(' lang="en"', ""),
        "color-contrast": html.replace("color:#6a645a", "color:#b0a89a"),
        "page-has-heading-one": html.replace("<h1", "<p").replace("</h1>", "</p>"),
        "document-title": re.sub("<title>.*</title>", "", html),
        "image-alt": html.replace("<h1", '<img src="data:,"><h1'),
        "link-name": re.sub(r"(<a [^>]+>).*?</a>", r"\1</a>", html),
    }
    judged = harness.asked(JUDGED, spoilt, tmp_path, widths=[600])
    assert {name: name in " ".join(judged[f"{name} 600"]["wrong"]) for name in spoilt} == dict.fromkeys(spoilt, True)


MEASURED = """({
    wide: view.document.documentElement.scrollWidth - width,
    card: view.document.querySelector(".card").offsetWidth - Math.min(width - 24, 560),
    smallest: Math.min(...[...view.document.querySelectorAll("h1, p, .line, b")]
        .map((it) => parseFloat(view.getComputedStyle(it).fontSize))),
    button: view.document.querySelector(".go")?.offsetHeight,
})"""


def without_styles(html: str) -> str:
    """What the Gmail app leaves of a mail to another provider's account: neither head nor body, and no <style>."""
    bare = re.sub(r"<head>.*</head>|</?(?:html|body)\b[^>]*>", "", html, flags=re.DOTALL)
    assert "<style" not in bare
    return f'<body style="margin:0">{bare}</body>'


@needs("chromium")
def test_a_mail_fits_every_screen_and_any_finger(tmp_path: Path) -> None:
    mails = {
        f"{message} {sample}": harness.words(message, "en", sample).html
        for message in harness.messages()
        for sample in ("full", "odd")
    }
    mails |= {f"bare {name}": without_styles(html) for name, html in mails.items()}
    for name, measured in harness.asked(MEASURED, mails, tmp_path, widths=WIDTHS).items():
        assert measured["wide"] <= 0, name
        assert measured["card"] == 0, name
        assert measured["smallest"] >= SMALLEST, name
        if "full" in name and "several-orders" not in name:  # the odd sample has no address to press
            assert measured["button"] >= REACH, name


@needs("chromium")
def test_a_mail_is_centred_and_dark_where_it_should_be(tmp_path: Path) -> None:
    page = tmp_path / "mail.html"
    page.write_text(harness.words("order-confirmed", "en").html)
    looks = [screenshots.Look(width=width, dark=dark) for width in WIDTHS for dark in (False, True)]
    taken = screenshots.pictures(screenshots.find() or "", page, looks)
    assert not isinstance(taken, screenshots.NoPicture), taken
    for look, png in zip(looks, taken, strict=True):
        seen = pixels(png)
        assert seen.width == look.width
        ground, *_ = edge = seen.column(0)
        assert len(edge | seen.column(11)) == 1  # nothing sticks out
        first = next(x for x in range(seen.width) if seen.column(x) != edge)
        last = next(x for x in reversed(range(seen.width)) if seen.column(x) != edge)
        assert abs(first - (seen.width - 1 - last)) <= 1  # in the middle
        assert last - first + 1 == min(seen.width - 24, 560)
        middle = seen.column(first + 24) | seen.column(seen.width // 2)
        assert contrast(max(middle, key=luminance), min(middle, key=luminance)) > 10
        assert luminance(ground) < 0.02 if look.dark else luminance(ground) > 0.8
        assert rgb("#1f5f8b") in middle  # the brand's colour
