"""Which rules are for an element, and what they come to together (CSS Cascading Level 4, section 6).

What a rule asks is looked up by what it asks of the element itself. How much looking there is, is counted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from avisa.templates.layout import css
from avisa.templates.layout.html_scanner import BLANKS
from avisa.templates.layout.selectors import Compound, Selector
from avisa.templates.limits import MOST_LOOKED, TooMuch

TOO_MANY = "the layout has too many elements, or too many styles for so many"
_MOST_KEPT = 64  # of what was made before
_WORD = re.compile(f"[^{BLANKS}]+")


@dataclass(slots=True)
class Element:
    """An element that is open, as selectors see it."""

    tag: str
    classes: frozenset[str]
    id: str | None
    parent: Element | None
    first: bool | None  # None: that hangs on a condition
    children: int = 0  # that are there in any case
    unsure: bool = False  # whether a condition or a loop began or ended in it
    implied: Element | None = None  # the last child of a table, where nobody wrote it

    def one_more(self) -> bool | None:
        """Count another child; whether it is the first."""
        first = False if self.children else None if self.unsure else True
        self.children += not self.unsure
        return first


class Cascade:
    """Rules, looked up by what they ask of the element itself."""

    def __init__(self, rules: Sequence[css.Rule]) -> None:
        self._rules = rules
        self._by: dict[str, list[tuple[Selector, int]]] = {}
        self._looked = 0
        self.undecided: set[int] = set()  # the rules of which it cannot be told for whom they are
        self._made: dict[tuple[tuple[int, ...], frozenset[str]], str] = {}
        self._classes: set[str] = set()
        for number, rule in enumerate(rules):
            for selector in rule.selectors:
                self._classes.update(*(it.classes for it in selector.compounds))
                self._by.setdefault(_key(selector.compounds[0]), []).append((selector, number))

    def known(self, classes: str) -> frozenset[str]:
        """Those classes of an element that any rule asks for."""
        return frozenset(it[0] for it in _WORD.finditer(classes) if it[0] in self._classes)

    def of(self, element: Element, own: frozenset[str]) -> str:
        """What is declared of it, ready to stand in quotes; `own` are the names that it declares itself."""
        asked = ["*", element.tag, *(f".{name}" for name in element.classes), f"#{element.id}"]
        found: dict[int, tuple[int, int, int]] = {}
        for key in asked:
            for selector, number in self._by.get(key, ()):
                self.look()
                if found.get(number, (-1, 0, 0)) >= selector.specificity:
                    continue
                fits = self._fits(selector, element)
                if fits is None:
                    self.undecided.add(number)
                elif fits:
                    found[number] = selector.specificity
        if not found:
            return ""
        order = tuple(sorted(found, key=lambda number: (found[number], number)))
        if (order, own) in self._made:
            return self._made[order, own]
        rules = [self._rules[number] for number in order]
        self.look(sum(len(rule.declared) for rule in rules))
        made = _declared(rules, own)
        if len(self._made) < _MOST_KEPT:
            self._made[order, own] = made
        return made

    def look(self, often: int = 1) -> None:
        """Count what takes about as long as holding an element against a part of a selector."""
        self._looked += often
        if self._looked > MOST_LOOKED:
            raise TooMuch(TOO_MANY)

    def _fits(self, selector: Selector, element: Element, at: int = 0) -> bool | None:
        """None: it hangs on a condition."""
        self.look()
        compound = selector.compounds[at]
        if not (
            compound.tag in (None, element.tag)
            and element.classes.issuperset(compound.classes)
            and compound.id in (None, element.id)
            and (element.first is not False or not compound.first)
        ):
            return False
        fits = self._fits_around(selector, element.parent, at + 1)
        return None if fits and compound.first and element.first is None else fits

    def _fits_around(self, selector: Selector, around: Element | None, at: int) -> bool | None:
        if at == len(selector.compounds):
            return True
        if selector.child[at - 1]:
            return around is not None and self._fits(selector, around, at)
        unsure = False
        while around is not None:
            fits = self._fits(selector, around, at)
            if fits:
                return True
            unsure = unsure or fits is None
            around = around.parent
        return None if unsure else False


def _key(compound: Compound) -> str:
    if compound.id is not None:
        return f"#{compound.id}"
    return f".{compound.classes[0]}" if compound.classes else compound.tag or "*"


def _declared(rules: Sequence[css.Rule], own: frozenset[str]) -> str:
    """The declarations of rules, the strongest last. One that another rule overrules goes; within a rule the later
    may be there for those only who know it, and both stay."""
    left: dict[int, css.Declaration] = {}
    by_name: dict[str, list[int]] = {}
    made = 0
    for rule in rules:
        before = {one.name: by_name.pop(one.name, []) for one in rule.declared}
        strong = {name for name, places in before.items() if any(left[place].important for place in places)}
        strong -= {one.name for one in rule.declared if one.important}
        for name in before.keys() - strong:
            for place in before[name]:
                del left[place]
        for one in rule.declared:
            if one.name not in strong:
                left[made] = one
                by_name.setdefault(one.name, []).append(made)
                made += 1
        by_name.update({name: before[name] for name in strong})
    kept = [one for one in left.values() if one.important or one.name not in own]
    return ";".join(f"{_quotable(one.name)}:{_quotable(one.value)}{'!important' * one.important}" for one in kept)


def _quotable(value: str) -> str:
    """A value that can stand in double quotes."""
    instead = "&quot;" if "'" in value else "'"
    return value.replace("&", "&amp;").replace('"', instead)
