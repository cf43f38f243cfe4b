"""The shelf: the catalog in force, and earlier ones, made again from what was kept of them.

A catalog is known by a hash of its files and one of all else that decides the octets of its mails, and what it was
made of is kept, so that a mail in doubt can be written again from the draft that was frozen, in this process or in
any other.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from avisa.catalog.catalog import Catalog, Installation
from avisa.catalog.render_input import Renderer
from avisa.core.plan import Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.ports import CatalogStore

ReadPlan = Callable[[str], Plan | list[Diagnostic]]
CompileFolder = Callable[[Mapping[str, str], Plan], tuple[Renderer | None, list[Diagnostic]]]

PLAN = "plan.yaml"
_REMEMBERED = 4  # catalogs made again from what was kept


def content_of(files: Mapping[str, str]) -> str:
    """The same for the same files, wherever they lie: 16 hexadecimal digits."""
    return _hash(orjson.dumps(dict(files), option=orjson.OPT_SORT_KEYS))[:16]


def files_of(kept: bytes) -> dict[str, str]:
    """The files of a catalog, from what was kept of it."""
    told: dict[str, Any] = orjson.loads(kept)
    files: dict[str, str] = told["files"]
    return files


class CatalogCache:
    """Holds the catalog in force, and makes catalogs: new ones of files, earlier ones of what was kept."""

    def __init__(
        self,
        *,
        read_plan: ReadPlan,
        compile_folder: CompileFolder,
        engine: str,
        installation: Installation,
        store: CatalogStore,
    ) -> None:
        """`engine` names everything but the files that decides octets: the versions of what renders them."""
        self._read_plan = read_plan
        self._make_press = compile_folder
        self._engine = engine
        self._mark = _hash(engine.encode())[:8]
        self._installation = installation
        self._store = store
        self._in_force: Catalog | None = None
        self._earlier: OrderedDict[str, Catalog] = OrderedDict()
        self.problems: tuple[Diagnostic, ...] = ()  # of what was last to be put in force

    @property
    def in_force(self) -> Catalog:
        if self._in_force is None:
            raise LookupError("no catalog was ever put in force")
        return self._in_force

    @property
    def empty(self) -> bool:
        """Nothing is in force yet."""
        return self._in_force is None

    @property
    def ok(self) -> bool:
        """Whether what was last to be put in force is."""
        return not self.empty and not any(it.severity == "error" for it in self.problems)

    def name(self, content: str) -> str:
        """The name that a catalog of these files has here: other libraries, another name."""
        return f"{content}-{self._mark}"

    def renders(self, version: str) -> bool:
        """Whether the catalog of that name was made by the libraries that are here, so that its mails come out the
        same to the octet."""
        return version.endswith(f"-{self._mark}")

    def kept(self, files: Mapping[str, str]) -> bytes:
        """What is kept of a catalog of these files."""
        return orjson.dumps({"engine": self._engine, "files": dict(files)}, option=orjson.OPT_SORT_KEYS)

    async def make(self, files: Mapping[str, str]) -> tuple[Catalog | None, list[Diagnostic]]:
        """The catalog of these files, or None; and all that is wrong with them."""
        return await asyncio.to_thread(self._make, self.name(content_of(files)), files)

    def put_in_force(self, catalog: Catalog) -> None:
        """From now on everything is decided and written by this one."""
        self._in_force = catalog

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
        catalog, _ = await asyncio.to_thread(self._make, version, files_of(content))
        if catalog is not None:
            self._earlier[version] = catalog
            if len(self._earlier) > _REMEMBERED:
                self._earlier.popitem(last=False)
        return catalog

    def _make(self, version: str, files: Mapping[str, str]) -> tuple[Catalog | None, list[Diagnostic]]:
        plan, press, problems = examine(files, self._read_plan, self._make_press)
        if plan is None or press is None:
            return None, problems
        return Catalog(version=version, plan=plan, press=press, installation=self._installation), problems


def examine(
    files: Mapping[str, str], read_plan: ReadPlan, compile_folder: CompileFolder
) -> tuple[Plan | None, Renderer | None, list[Diagnostic]]:
    """Plan and press of a template folder, as far as they can be made, and all that is wrong."""
    if PLAN not in files:
        return None, None, [Diagnostic(code="missing_file", file=PLAN, message="there is no plan")]
    plan = read_plan(files[PLAN])
    if isinstance(plan, list):
        return None, None, plan
    press, problems = compile_folder(files, plan)
    return plan, press, problems


def _hash(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()
