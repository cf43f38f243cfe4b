"""Attacks found by hand: each took longer once, or held more, than a message may. Kept so that none works again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from avisa.core.model import Json
from avisa.templates.layout.layout import Layout
from tests.hostile.page import objections
from tests.hostile.trial import Verdict, tried
from tests.templates.desk import layout_with


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


def _names(first: int, count: int) -> list[str]:
    """Short names, each another."""
    return [f"{chr(103 + it % 20)}{it:x}" for it in range(first, first + count)]


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
    Attack(
        name="blanks in a style",
        layout={"layout.html": "<style>@media screen{.a{content:'" + " " * 14_000 + "'}}</style>"},
    ),
    Attack(name="blanks in a selector", layout={"layout.html": "<style>a" + " " * 14_000 + "b{color:red}</style>"}),
    Attack(name="a style without rules", layout={"layout.html": "<style>" + "x" * 14_000 + "</style>"}),
    Attack(name="comments that are never closed", layout={"layout.html": "<style>" + "/* " * 4_600 + "</style>"}),
    Attack(name="media without rules", layout={"layout.html": "<style>" + "@media " * 2_000 + "</style>"}),
    Attack(name="comments in a value", layout={"layout.html": "<p title='" + "<!--" * 3_700 + "'>x</p>"}),
    Attack(name="styles in a value", layout={"layout.html": '<p title="' + "<style>" * 2_200 + '">x</p>'}),
    Attack(name="tags and a quote in a comment", layout={"layout.html": "<!-- " + "<" * 9_000 + '" -->'}),
    Attack(name="a long comment", layout={"layout.html": "<!-- " + "a" * 14_000 + " -->"}),
    Attack(name="many attributes", layout={"layout.html": "<b" + " a='b'" * 1_750 + ">x</b>"}),
    Attack(
        name="selectors without declarations",
        layout={"layout.html": "<style>" + "i," * 3_000 + "i{}</style>" + "<i></i>" * 1_300},
    ),
    Attack(
        name="selectors that search",
        layout={
            "layout.html": f"<style>{'[a*=ab] i,' * 500}i{{}}</style><i a='{'a' * 3_000}'></i>{'<i></i>' * 900}",
        },
    ),
    Attack(
        name="siblings of siblings",
        layout={"layout.html": f"<style>{'[a]~*,' * 100}u{{}}</style>{'<i></i>' * 1_240}"},
    ),
    Attack(
        name="a class in another spelling",
        layout={
            "layout.html": f"<style>.\\61 z{{font-family:{'x' * 9_000}}}</style>{'<i class=az></i>' * 300}",
        },
    ),
    Attack(
        name="displays in a value", layout={"layout.html": f'<p title="{"<p " * 1_400}{"display:" * 1_200}">x</p>'}
    ),
    Attack(
        name="a brace in a text",
        layout={
            "layout.html": f"<style>.z{{a:'}}.q{{';font-family:{'x' * 6_000}}}</style>{'<i class=z></i>' * 300}",
        },
    ),
    Attack(
        name="elements that nobody writes",
        layout={
            "layout.html": f"<style>tbody{{font-family:{'x' * 6_000}}}</style>"
            + "<table><tr><td></td></tr></table>" * 260,
        },
    ),
    Attack(
        name="what a selector asks of all around",
        layout={
            "layout.html": f"<style>{'[a]' * 130 + '[q] u,'}u{{}}</style>" * 20
            + "<b a='b'>" * 30
            + "<u></u>" * 900
            + "</b>" * 30,
        },
    ),
    Attack(
        name="a loop over owners",
        body="{% for owner in order.x %}{% if owner.name %}{{ owner.name }}{% endif %}{% endfor %}" * 18,
        order={"x": [{"name": ["🚚" + "a" * 1_900] * 10}]},
    ),
    Attack(name="tags in a value", layout={"layout.html": "<p title='" + "<p " * 4_600 + "'>x</p>"}),
    Attack(
        name="a quote in a doctype",
        layout={
            "layout.html": '<!doctype "><style>'
            + "i," * 300
            + f"i{{{''.join(f'x{it:x}:b;' for it in range(1_200))}}}</style>"
            + "<i></i>" * 12,
        },
    ),
    Attack(
        name="a class in a value",
        layout={
            "layout.html": f'<style>.z{{font-family:{"x" * 6_000}}}</style><b title=" class=\'"></b>'
            + "<i class=z></i>" * 500
            + "'",
        },
    ),
    Attack(
        name="half a rule in each of two styles",
        layout={
            "layout.html": f"<style>b</style><style>i{{font-family:{'x' * 6_000}}}</style><b>{'<i></i>' * 900}</b>",
        },
    ),
    Attack(
        name="values that become longer",
        body='{{ button("a",order.url) }}\n\n{{ items(order.items) }}',
        layout={
            "layout.html": "<style>b{a:b}</style>&#x1F69A;",
            "button.html": "<b style='" + '"' * 19_000 + "'></b>",
            "items.html": "<b style='" + '"' * 18_000 + "'></b>",
        },
    ),
    Attack(
        name="ancestors of many classes",
        layout={
            "layout.html": f"<style>{'.q u,' * 1_200}u{{a:b}}</style><i class=q></i>"
            f"<b class='{' '.join(f'{it:x}' for it in range(1_300))}'>{'<u></u>' * 105}</b>",
        },
    ),
    Attack(
        name="emptiness among comments",
        layout={
            "layout.html": f"<style>{':empty u,' * 350}u{{a:b}}</style><b>{'<!--a-->' * 1_000}{'<u></u>' * 150}</b>",
        },
    ),
    Attack(
        name="last children among comments",
        layout={
            "layout.html": f"<style>{':last-child u,' * 350}u{{a:b}}</style>"
            f"<b>{'<u></u>' * 150}</b>{'<!--a-->' * 900}<i></i>",
        },
    ),
    Attack(
        name="ancestors of many attributes",
        layout={
            "layout.html": f"<style>{'[zz] u,' * 500}u{{a:b}}</style>"
            f"<b {' '.join(f'{it:x}' for it in range(2_000))}>{'<u></u>' * 97}</b>",
        },
    ),
    Attack(name="quotes that are escaped", layout={"layout.html": "<style>@media x{" + '\\"' * 7_000 + "</style>"}),
    Attack(name="comments within media", layout={"layout.html": "<style>@media x{" + "/* " * 3_300 + "</style>"}),
    Attack(name="brackets that are never closed", layout={"layout.html": f"<style>{'[' * 15_000}</style>"}),
    Attack(name="bodies in a value", layout={"layout.html": '<b title="' + "</tbody><!--" * 1_180 + '"></b>'}),
    Attack(
        name="many classes",
        layout={"layout.html": "".join(f'<b class="{" ".join(_names(it * 500, 500))}"></b>' for it in range(5))},
    ),
    Attack(
        name="many small rules",
        layout={"layout.html": f"<style>{''.join(f'{name}{{}}' for name in _names(0, 2_300))}</style>"},
    ),
    Attack(
        name="many rules for one element",
        layout={"layout.html": f"<style>{''.join(f'i{{x{it:x}:y}}' for it in range(590))}</style><i></i>"},
    ),
    Attack(
        name="one rule for all elements",
        layout={"layout.html": f"<style>{'i,' * 1_100}i{{a:b}}</style>{'<i></i>' * 1_200}"},
    ),
    Attack(
        name="a long way up",
        layout={
            "layout.html": f"<style>{'u b b b b b b b b b b i{a:b}' * 60}</style>"
            f"{'<b>' * 30}{'<i></i>' * 900}{'</b>' * 30}",
        },
    ),
    Attack(
        name="many styles of long selectors",
        layout={"layout.html": "".join(f"<style>{'a ' * 90}.x{it:x}{{a:b}}</style>" for it in range(70))},
    ),
    Attack(
        name="declarations that overrule each other",
        layout={
            "layout.html": f"<style>i{{{'a:b;' * 900}}}i{{a:c}}</style>"
            + "".join(f"<i style=a{it:x}:b></i>" for it in range(500)),
        },
    ),
    Attack(
        name="styles of their own for many",
        body="{{ progress() }}\n\n" * 5,
        layout={"progress.html": "".join(f"<b style='{'a:b;' * 13}x{it:x}:y'></b>" for it in range(270))},
    ),
    Attack(
        name="many styles that stay",
        body="{{ progress() }}\n\n" * 5,
        layout={"progress.html": "".join(f"<style>@media x{{{'a,' * 133}x{it:x}}}</style>" for it in range(60))},
    ),
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
        layout={"layout.html": f"<b {' '.join(_names(0, 3_000))}></b>"},
    ),
    Attack(name="nothing but words", layout={"layout.html": f"<style>@media x{{{'a ' * 7_000}}}</style>"}),
)


def struck(attack: Attack) -> Verdict:
    """What comes of an attack."""
    layout = layout_with(attack.layout)
    if not isinstance(layout, Layout):
        return Verdict(accepted=False, codes=tuple(sorted({problem.code for problem in layout})))
    known = {f"details.{name}": value for name, value in attack.order.items()}
    verdict = tried(f"---\nsubject: s\nshort: s\n---\n{attack.body}\n", {attack.name: known}, layout)
    own = {f"{attack.name}: {objection}" for objection in objections(layout.text("layout.html"))}
    verdict.faults = [fault for fault in verdict.faults if fault not in own]
    return verdict
