"""The shelf that keeps every catalog put in force.

A push either puts a whole catalog in force or changes nothing: the last good one stays. A catalog is known by
a hash of all that decides the octets of its mails, and what it was made of is kept, so that a mail in doubt
can be written again from the draft that was frozen, in this process or in any other.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from service.catalog.catalog import Catalog, Installation
from service.catalog.letter import Press
from service.core.plan import Plan
from service.ports import CatalogStore, Problem

PLAN = "plan.yaml"
_REMEMBERED = 4  # catalogs made again from what was kept

ReadPlan = Callable[[str], Plan | list[Problem]]
MakePress = Callable[[Mapping[str, str], Plan], tuple[Press | None, list[Problem]]]


class Shelf:
    """Keeps the catalog in force, and makes earlier ones again from what was kept of them."""

    def __init__(
        self,
        *,
        read_plan: ReadPlan,
        make_press: MakePress,
        engine: str,
        installation: Installation,
        store: CatalogStore,
    ) -> None:
        """`engine` names everything but the files that decides octets: the versions of what renders them."""
        self._read_plan = read_plan
        self._make_press = make_press
        self._engine = engine
        self._installation = installation
        self._store = store
        self._in_force: Catalog | None = None
        self._earlier: OrderedDict[str, Catalog] = OrderedDict()
        self._turn = asyncio.Lock()
        self.problems: tuple[Problem, ...] = ()

    @property
    def in_force(self) -> Catalog:
        if self._in_force is None:
            raise LookupError("no catalog was ever pushed")
        return self._in_force

    @property
    def ok(self) -> bool:
        """Whether the newest push was put in force."""
        return self._in_force is not None and not any(it.severity == "error" for it in self.problems)

    async def push(
        self, files: Mapping[str, str], *, at: datetime, unread: Sequence[Problem] = ()
    ) -> tuple[Problem, ...]:
        """Check the files and put them in force, or leave the last good catalog and say what is wrong. With
        `unread`, something of the folder could not be read, and nothing is put in force."""
        async with self._turn:
            if unread:
                self.problems = tuple(unread)
                return self.problems
            content = orjson.dumps({"engine": self._engine, "files": dict(files)}, option=orjson.OPT_SORT_KEYS)
            version = hashlib.sha256(content).hexdigest()[:16]
            if self._in_force is not None and self._in_force.version == version:
                self.problems = tuple(it for it in self.problems if it.severity == "warning")
                return self.problems
            catalog, problems = await asyncio.to_thread(self._make, version, files)
            if catalog is not None:
                await self._store.keep_catalog(version, content, at=at)
                self._in_force = catalog
            self.problems = tuple(problems)
            return self.problems

    async def version(self, version: str) -> Catalog | None:
        """An earlier catalog, if it is still kept."""
        if self._in_force is not None and self._in_force.version == version:
            return self._in_force
        if version in self._earlier:
            self._earlier.move_to_end(version)
            return self._earlier[version]
        content = await self._store.kept_catalog(version)
        if content is None:
            return None
        kept: dict[str, Any] = orjson.loads(content)
        catalog, _ = await asyncio.to_thread(self._make, version, kept["files"])
        if catalog is not None:
            self._earlier[version] = catalog
            if len(self._earlier) > _REMEMBERED:
                self._earlier.popitem(last=False)
        return catalog

    def _make(self, version: str, files: Mapping[str, str]) -> tuple[Catalog | None, list[Problem]]:
        plan, press, problems = examine(files, self._read_plan, self._make_press)
        if plan is None or press is None:
            return None, problems
        return Catalog(version=version, plan=plan, press=press, installation=self._installation), problems


def examine(
    files: Mapping[str, str], read_plan: ReadPlan, make_press: MakePress
) -> tuple[Plan | None, Press | None, list[Problem]]:
    """Plan and press of a template folder, as far as they can be made, and all that is wrong."""
    if PLAN not in files:
        return None, None, [Problem(code="missing_file", file=PLAN, message="there is no plan")]
    plan = read_plan(files[PLAN])
    if isinstance(plan, list):
        return None, None, plan
    press, problems = make_press(files, plan)
    return plan, press, problems
