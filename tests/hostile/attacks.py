"""Attacks found by hand: each took longer once than a message may. Kept so that none works again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from avisa.core.model import Json
from avisa.templates.layout.layout import Layout
from tests.hostile.page import objections
from tests.hostile.trial import Verdict, tried
from tests.templates.harness import files_with, layout_with


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """A body, in a layout with more in it, told of an order."""

    name: str
    body: str = "x"
    layout: Mapping[str, str] = field(default_factory=dict)  # what is added to its files
    order: Mapping[str, Json] = field(default_factory=dict)  # details


_NOTE = "{{ order.note | default('') }}"
_WIDE = "🚚" + "a" * 1_999


def _currency(number: int) -> str:
    return "".join(chr(65 + number // 26**place % 26) for place in range(3))


ATTACKS = (
    Attack(name="a run of blanks", body="a" + " " * 8_000 + "b"),
    Attack(name="runs of blanks", body=("{{ 'a' }}" + " " * 3_000) * 2),
    Attack(name="a list of short items", body="1) a\n" * 299),
    Attack(name="lists in short items", body="1) 1) 1) 1)\n" * 119),
    Attack(name="far too many items", body="1) 1) 1) 1)\n" * 595),
    Attack(name="empty lines", body="\n" * 8_000 + "x"),
    Attack(name="a long path", body="{% if order" + ".a" * 230 + " %}x{% endif %}"),
    Attack(
        name="many deep paths", body="".join(f"{{% if order.a{it}.b.c.d.e.f %}}x{{% endif %}}" for it in range(98))
    ),
    Attack(name="many paths", body="".join(f"{{{{ order.a{it} | default('') }}}}" for it in range(140))),
    Attack(name="a long condition", body="{% if " + " and ".join(["reason"] * 700) + " %}x{% endif %}"),
    Attack(name="long conditions", body=("{% if " + " or ".join(["reason"] * 110) + " %}x{% endif %}") * 6),
    Attack(
        name="unheard-of currencies",
        body="{% for a in order.x %}{% for b in a.y %}{% if b and 1 | money(b) == 'y' %}x{% endif %}{% endfor %}"
        "{% endfor %}",
        order={"x": [{"y": [_currency(it * 12 + more) for more in range(12)]} for it in range(100)]},
    ),
    Attack(
        name="hosts that take long to normalise",
        body="".join(f"[x]({{{{ order.a{it} | default('') }}}}) " for it in range(14)),
        order={f"a{it}": f"https://{it}" + "\u0344" * 950 + "\u0316" * 950 for it in range(14)},
    ),
    Attack(
        name="filters in a loop in a loop",
        body="{% for a in order.x %}{% for b in order.y %}"
        + "{% if b | number == 'y' %}x{% endif %}" * 13
        + "{% endfor %}{% endfor %}",
        order={"x": ["a"] * 100, "y": ["1e-5"] * 12},
    ),
    Attack(
        name="a list joined by a long text",
        body=_NOTE * 2 + "{{ order.x | default('') | join(order.note | default('')) }}" * 10,
        order={"x": ["🚚" + "a" * 560] * 100, "note": _WIDE},
    ),
    Attack(
        name="long names of stages",
        layout={"layout.txt": "{{ order.note | default('') | label }}" * 170},
        order={"note": _WIDE},
    ),
    Attack(name="blanks in the layout", layout={"layout.html": "<p>a" + " " * 14_000 + "b</p>"}),
    Attack(name="empty lines in the layout", layout={"layout.html": "<p>a" + "\n" * 14_000 + "b</p>"}),
    Attack(
        name="long styles for many elements",
        body="*a* " * 240,
        layout={"theme.yaml": f'em: "font-family:{"x" * 480}"\n'},
    ),
    Attack(name="declarations without end", layout={"theme.yaml": f'em: "{"a" * 400}"\n'}),
    Attack(name="styles for nobody", layout={"theme.yaml": "".join(f"x{it}: a\n" for it in range(2_000))}),
    Attack(name="comments in a value", layout={"layout.html": "<p title='" + "<!--" * 3_700 + "'>x</p>"}),
    Attack(name="styles in a value", layout={"layout.html": '<p title="' + "<style>" * 2_200 + '">x</p>'}),
    Attack(name="styles that are never closed", layout={"layout.html": "<style>" * 2_000}),
    Attack(name="styles of unclosed addresses", layout={"layout.html": f"<style>{'url(' * 3_500}</style>"}),
    Attack(name="comments in a style", layout={"layout.html": f"<style>{'/*' * 7_000}</style>"}),
    Attack(name="endless tags for Outlook", layout={"layout.html": f"<!--[if mso]>{'<p a=' * 2_800}<![endif]-->"}),
    Attack(name="tags and a quote in a comment", layout={"layout.html": "<!-- " + "<" * 9_000 + '" -->'}),
    Attack(name="a long comment", layout={"layout.html": "<!-- " + "a" * 14_000 + " -->"}),
    Attack(name="many attributes", layout={"layout.html": "<b" + " id='b'" * 1_750 + ">x</b>"}),
    Attack(
        name="displays in a value", layout={"layout.html": f'<p title="{"<p " * 1_400}{"display:" * 1_200}">x</p>'}
    ),
    Attack(
        name="a loop over owners",
        body="{% for owner in order.x %}{% if owner.name %}{{ owner.name }}{% endif %}{% endfor %}" * 18,
        order={"x": [{"name": ["🚚" + "a" * 1_900] * 10}]},
    ),
    Attack(name="tags in a value", layout={"layout.html": "<p title='" + "<p " * 4_600 + "'>x</p>"}),
    Attack(name="bodies in a value", layout={"layout.html": '<b title="' + "</tbody><!--" * 1_180 + '"></b>'}),
    Attack(
        name="many comments",
        body="{{ progress() }}\n\n" * 5,
        layout={"progress.html": "<!--a-->" * 2_200},
    ),
    Attack(
        name="many entities",
        body="{{ progress() }}\n\n" * 5,
        layout={"progress.html": "&#34;ab" * 2_600},
    ),
    Attack(
        name="many attributes of one element",
        layout={"layout.html": f"<b {' '.join(f'data-{it:x}' for it in range(1_500))}></b>"},
    ),
)


def struck(attack: Attack) -> Verdict:
    """What comes of an attack."""
    layout = layout_with(attack.layout)
    if not isinstance(layout, Layout):
        return Verdict(accepted=False, codes=tuple(sorted({problem.code for problem in layout})))
    known = {f"details.{name}": value for name, value in attack.order.items()}
    verdict = tried(
        f"---\nsubject: s\nshort: s\n---\n{attack.body}\n", {attack.name: known}, files_with(attack.layout)
    )
    pages = (text for name, text in layout.files.items() if name.endswith(".html"))
    own = {f"{attack.name}: {objection}" for page in pages for objection in objections(page)}
    verdict.faults = [fault for fault in verdict.faults if fault not in own]
    return verdict
