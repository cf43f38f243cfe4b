"""Where Kafka is, as the settings say."""

from __future__ import annotations

from pathlib import Path

from avisa.kafka.cluster import Cluster
from avisa.settings import Kafka


def cluster_of(settings: Kafka) -> Cluster | None:
    """The cluster that is set; None if it is to be the embedded one."""
    if settings.bootstrap_servers is None:
        return None
    return Cluster(
        bootstrap_servers=settings.bootstrap_servers,
        topics=settings.topics,
        group_id=settings.group_id,
        security=settings.security,
        sasl=settings.sasl or "plain",
        username=settings.username or "",
        password="" if settings.password is None else settings.password.get_secret_value(),
        ca_file=_path(settings.ca_file),
        cert_file=_path(settings.cert_file),
        key_file=_path(settings.key_file),
    )


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)
