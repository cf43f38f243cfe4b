"""The same with servers that others wrote."""

from __future__ import annotations

import asyncio
import getpass
import shutil
import socket
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

from avisa.core.retry import Verdict
from avisa.smtp.channel import EmailChannel
from avisa.smtp.relay import Relay
from tests.smtp.harness import CALM, mail
from tests.tools.parts import needs
from tests.tools.waiting import PATIENCE

BODY = b".leading dot\r\n\r\n..two\r\n" + b"x" * 70 + b"\r\n"


def relay_at(port: int) -> Relay:
    return Relay(host="127.0.0.1", port=port, tls="none", helo="avisa.example", patience=CALM)


@needs("smtp")
async def test_mails_arrive_whole_at_smtp_sink(tmp_path: Path) -> None:
    program = shutil.which("smtp-sink") or "/usr/sbin/smtp-sink"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # root has to name whom it will be
    user = ["-u", "root"] if getpass.getuser() == "root" else []
    sink = await asyncio.create_subprocess_exec(
        program, *user, "-d", str(tmp_path / "mail."), f"127.0.0.1:{port}", "100"
    )
    try:
        channel = EmailChannel(relay_at(port), jitter=lambda: 0.0)
        await channel.start()
        async with asyncio.timeout(PATIENCE):
            while True:  # it may not listen yet, and the channel knocks again by itself
                receipt = await channel.deliver(mail(0, body=BODY))
                if receipt.verdict is Verdict.ACCEPTED:
                    break
                await asyncio.sleep(0.05)
        answers = (channel.deliver(mail(n, to=f"c{n}@d{n % 5}.example", body=BODY)) for n in range(1, 300))
        assert {receipt.verdict for receipt in await asyncio.gather(*answers)} == {Verdict.ACCEPTED}
        await channel.stop(2)
    finally:
        sink.terminate()
        await sink.wait()
    kept = [message_from_bytes(file.read_bytes()) for file in tmp_path.iterdir()]  # noqa: ASYNC240 - all is over
    assert sorted(int(m["Subject"]) for m in kept) == list(range(300))
    # it ends each mail that it keeps with an empty line of its own
    assert {m.get_payload() for m in kept} == {BODY.decode().replace("\r\n", "\n") + "\n"}


class Box:
    def __init__(self) -> None:
        self.contents: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.contents.append(envelope.content)
        return "250 taken"


async def test_mails_arrive_whole_at_aiosmtpd() -> None:
    box = Box()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, hostname="relay.example", loop=loop), "127.0.0.1", 0)
    async with server:
        channel = EmailChannel(relay_at(server.sockets[0].getsockname()[1]), jitter=lambda: 0.0)
        await channel.start()
        answers = (channel.deliver(mail(n, to=f"c{n}@d{n % 3}.example", body=BODY)) for n in range(60))
        assert {receipt.verdict for receipt in await asyncio.gather(*answers)} == {Verdict.ACCEPTED}
        await channel.stop(2)
        await asyncio.sleep(0.05)  # let its sessions see that we have gone
    assert sorted(box.contents) == sorted(mail(n, body=BODY).data for n in range(60))
