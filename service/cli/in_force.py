"""The plan and the messages in force, for commands that look at a store; those of the folder before any was."""

from __future__ import annotations

from avisa.catalog import Catalog, KeptCatalog
from avisa.cli.folder_catalog import catalog_of, unchecked_catalog
from avisa.settings import Settings
from avisa.store import Store


async def catalog_in_force(store: Store, settings: Settings) -> Catalog:
    """The catalog of the newest version in the store, which all replicas use. Raises Failure and StoreError."""
    newest = next(iter(await store.versions.versions()), None)
    kept = None if newest is None else await store.versions.kept_catalog(newest.catalog)
    return unchecked_catalog(settings, None) if kept is None else catalog_of(settings, KeptCatalog.read(kept))
