"""TLS and SASL as brokers ask for them, and what is told when they refuse."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from avisa.kafka import Cluster, publish
from tests.kafka.harness import a_topic, subscribed, value
from tests.tools.kafka import ApacheKafka, Secured
from tests.tools.parts import needs
from tests.tools.waiting import until


@dataclass
class Fortress:
    """A broker that wants TLS, a client certificate and a password."""

    kafka: ApacheKafka
    authority: Path
    certificate: Path
    key: Path

    def cluster(self, topic: str, **changes: Any) -> Cluster:
        ours = Cluster(
            bootstrap_servers=self.kafka.secured_servers,
            topics=(topic,),
            group_id=f"g.{topic}",
            security="sasl_ssl",
            sasl="scram-sha-512",
            username="avisa",
            password="secret-word",
            ca_file=str(self.authority),
            cert_file=str(self.certificate),
            key_file=str(self.key),
        )
        return replace(ours, **changes)


@pytest.fixture(scope="module")
@needs("kafka")
def fortress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fortress]:
    folder = tmp_path_factory.mktemp("fortress")
    authority = trustme.CA()
    broker, client = authority.issue_cert("localhost"), authority.issue_cert("avisa.example")
    kafka = ApacheKafka(
        folder=folder,
        secured=Secured(
            protocol="SASL_SSL",
            users={"avisa": "secret-word"},
            keystore_pem=_pkcs8(broker),
            truststore_pem=authority.cert_pem.bytes().decode(),
        ),
    )
    paths = folder / "ca.pem", folder / "client.pem", folder / "client.key"
    authority.cert_pem.write_to_path(paths[0])
    client.cert_chain_pems[0].write_to_path(paths[1])
    client.private_key_pem.write_to_path(paths[2])
    kafka.start()
    yield Fortress(kafka, *paths)
    kafka.kill9()


def _pkcs8(certificate: trustme.LeafCert) -> str:
    """Key and chain in the one form Kafka reads."""
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None)
    written = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (written + b"".join(pem.bytes() for pem in certificate.cert_chain_pems)).decode()


@pytest.mark.parametrize("mechanism", ["plain", "scram-sha-256", "scram-sha-512"])
async def test_events_are_read_over_tls_with_every_mechanism(fortress: Fortress, mechanism: Any) -> None:
    topic = a_topic()
    await fortress.kafka.create_topic(topic)
    cluster = fortress.cluster(topic, sasl=mechanism)
    async with subscribed(cluster) as running:
        assert await publish(cluster, [value(1)]) == 1
        await until(lambda: running.flow.orders == ["1"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"password": "wrong"}, "refuses our user name, password or mechanism"),
        ({"username": "nobody", "sasl": "plain"}, "refuses our user name, password or mechanism"),
        ({"ca_file": None}, "certificate is not trusted"),
        ({"security": "sasl_plaintext"}, "cannot be reached"),
    ],
)
async def test_a_refusal_is_reported_in_plain_words_without_secrets(
    fortress: Fortress, changes: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    topic = a_topic()
    await fortress.kafka.create_topic(topic)
    async with subscribed(fortress.cluster(topic, **changes)) as running:
        await until(lambda: running.subscription.detail.startswith("no Kafka"))
        assert words in running.subscription.detail
    printed = capsys.readouterr()
    for secret in ("secret-word", "wrong"):
        assert secret not in printed.out + printed.err


async def test_reading_begins_when_a_refusal_ends(fortress: Fortress) -> None:
    topic, user = a_topic(), "late"
    await fortress.kafka.create_topic(topic)
    cluster = fortress.cluster(topic, username=user, password="new-word")
    async with subscribed(cluster) as running:
        await until(lambda: "refuses our user name" in running.subscription.detail)
        await asyncio.to_thread(fortress.kafka.add_user, user, "new-word")
        await publish(fortress.cluster(topic), [value(1)])
        await until(lambda: running.flow.orders == ["1"])


def test_an_unusable_certificate_is_found_before_the_start(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for missing in (tmp_path / "ca.pem", tmp_path / "none.pem"):
        problem = Cluster(bootstrap_servers="x:1", security="ssl", ca_file=str(missing)).problem()
        assert problem is not None
        assert str(missing) in problem
    assert Cluster(bootstrap_servers="x:1", security="ssl").problem() is None
    assert "word" not in repr(Cluster(bootstrap_servers="x:1", password="word"))
