"""The catalog in force, and earlier catalogs made again from their kept files.

The name of a catalog is a hash of its files and a hash of everything else that decides the bytes of its mails. Its
files are kept, so that any process can write a mail in doubt again from its frozen draft, with the same bytes. One
that an earlier release put in force is kept with the name of that release's engine: its mails keep the form that they
had.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import orjson

from avisa.catalog.catalog import Catalog, Installation
from avisa.catalog.kept import KeptCatalog
from avisa.catalog.render_input import Renderer
from avisa.core.plan import Holidays, Plan
from avisa.diagnostics.diagnostic import Diagnostic
from avisa.ports import CatalogStore

ReadPlan = Callable[[str], Plan | list[Diagnostic]]
ReadKeptPlan = Callable[[str, Mapping[str, Holidays]], Plan | list[Diagnostic]]  # with the holidays that are known
CompileFolder = Callable[[Mapping[str, str], Plan], tuple[Renderer | None, list[Diagnostic]]]

PLAN = "plan.yaml"
_REMEMBERED = 4  # catalogs made again from what was kept


def content_of(files: Mapping[str, str]) -> str:
    """A hash of these files, as 16 hexadecimal digits: the same wherever the files lie."""
    return _hash(orjson.dumps(dict(files), option=orjson.OPT_SORT_KEYS))[:16]


class CatalogCache:
    """Holds the catalog in force; makes new catalogs from files, and earlier ones from kept files."""

    def __init__(
        self,
        *,
        read_plan: ReadKeptPlan,
        compile_folder: CompileFolder,
        open_folder: CompileFolder,
        engine: str,
        installation: Installation,
        store: CatalogStore,
    ) -> None:
        """`compile_folder` tries a folder whole; `open_folder` takes one that passed before as it is. `engine` names
        whatever decides the bytes of a mail besides the files: the versions of the libraries."""
        self._read_plan = read_plan
        self._compile_folder = compile_folder
        self._open_folder = open_folder
        self._engine = engine
        self._mark = _hash(engine.encode())[:8]
        self._installation = installation
        self._store = store
        self._in_force: Catalog | None = None
        self._earlier: OrderedDict[str, Catalog] = OrderedDict()
        self.problems: tuple[Diagnostic, ...] = ()  # of the files that were last to be put in force

    @property
    def in_force(self) -> Catalog:
        if self._in_force is None:
            raise LookupError("no catalog was ever put in force")
        return self._in_force

    @property
    def empty(self) -> bool:
        """True until a catalog is put in force."""
        return self._in_force is None

    @property
    def ok(self) -> bool:
        """True if the files that were last to be put in force are in force."""
        return not self.empty and not any(it.severity == "error" for it in self.problems)

    def name(self, content: str) -> str:
        """The name of a catalog with this content here. With other libraries it has another name."""
        return f"{content}-{self._mark}"

    def renders(self, version: str) -> bool:
        """True if the libraries of this process made the catalog of that name: its mails come out the same."""
        return version.endswith(f"-{self._mark}")

    def to_keep(self, files: Mapping[str, str], plan: Plan, warnings: Sequence[Diagnostic]) -> bytes:
        """The bytes to keep of a catalog of these files, which passed the check with this plan and these warnings."""
        kept = KeptCatalog(engine=self._engine, files=files, warnings=warnings, holidays=plan.holidays)
        return kept.written()

    async def make(self, files: Mapping[str, str]) -> tuple[Catalog | None, list[Diagnostic]]:
        """Try these files whole. The catalog, None if they are wrong; and all that is wrong with them."""
        return await asyncio.to_thread(self._make, self.name(content_of(files)), files, {}, self._compile_folder)

    async def passed(self, content: str) -> tuple[Catalog, list[Diagnostic]] | None:
        """The catalog with this content and its warnings, if it is kept: then it passed with these very libraries,
        here or in another replica, and is not tried again. None if it is not."""
        version = self.name(content)
        kept = await self._kept(version)
        if kept is None:
            return None
        catalog, _ = await asyncio.to_thread(self._make, version, kept.files, kept.holidays, self._open_folder)
        return None if catalog is None else (catalog, list(kept.warnings))

    def put_in_force(self, catalog: Catalog) -> None:
        """From now on everything is decided and written by this catalog."""
        self._in_force = catalog

    async def version(self, version: str) -> Catalog | None:
        """The catalog of this name; None if its files are not kept any more."""
        if self._in_force is not None and self._in_force.version == version:
            return self._in_force
        if version in self._earlier:
            self._earlier.move_to_end(version)
            return self._earlier[version]
        kept = await self._kept(version)
        if kept is None:
            return None
        compile_files = self._open_folder if self.renders(version) else self._compile_folder
        catalog, _ = await asyncio.to_thread(self._make, version, kept.files, kept.holidays, compile_files)
        if catalog is not None:
            catalog = replace(catalog, renderer=catalog.renderer.as_of(kept.engine))
            self._earlier[version] = catalog
            if len(self._earlier) > _REMEMBERED:
                self._earlier.popitem(last=False)
        return catalog

    async def _kept(self, version: str) -> KeptCatalog | None:
        content = await self._store.kept_catalog(version)
        return None if content is None else KeptCatalog.read(content)

    def _make(
        self,
        version: str,
        files: Mapping[str, str],
        holidays: Mapping[str, Holidays],
        compile_files: CompileFolder,
    ) -> tuple[Catalog | None, list[Diagnostic]]:
        plan, renderer, problems = examine(files, lambda text: self._read_plan(text, holidays), compile_files)
        if plan is None or renderer is None:
            return None, problems
        return Catalog(version=version, plan=plan, renderer=renderer, installation=self._installation), problems


def examine(
    files: Mapping[str, str], read_plan: ReadPlan, compile_folder: CompileFolder
) -> tuple[Plan | None, Renderer | None, list[Diagnostic]]:
    """The plan and the renderer of a template folder, as far as they can be made, and all that is wrong with it."""
    if PLAN not in files:
        return None, None, [Diagnostic(code="missing_file", file=PLAN, message="there is no plan")]
    plan = read_plan(files[PLAN])
    if isinstance(plan, list):
        return None, None, plan
    renderer, problems = compile_folder(files, plan)
    return plan, renderer, problems


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
