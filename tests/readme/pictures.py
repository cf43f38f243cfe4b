"""Take the README's pictures anew: `python -m tests.readme.pictures`. It needs Chromium.

One order goes through `avisa run` on a fast clock; what its customer was sent is shown as a browser shows it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

from avisa.preview import screenshots
from tests.tools.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "deploy" / "pictures"
START = datetime(2026, 3, 2, 10, tzinfo=UTC)
SPEED = 10_000
SET_UP = timedelta(seconds=20)  # real; until then the clock stands before START

WIDTH = 600
SCALE = 1.2  # sharp enough, and small
DARK = {"still-in-progress": False, "delayed": True}

ORDER = {
    "order_id": "A-1042",
    "customer": {"name": "Emma Clarke", "email": "emma@example.com", "locale": "en", "time_zone": "Europe/London"},
    "details": {"number": "1042", "url": "https://shop.example.com/orders/1042"},
}
IN_TIME = {"status": "in_production", "promised_at": "2026-03-09"}
LATE = {
    "status": "in_production",
    "promised_at": "2026-03-13",
    "reason": "the glaze cracked in the first firing, and we are making your bowl again.",
    "next_step": "the second firing is on Monday.",
}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        mails = sent_for_one_order(Path(folder))
        for name, html in mails.items():
            picture = PICTURES / f"{name}{'-dark' if DARK[name] else ''}.png"
            shoot(html, picture, Path(folder), dark=DARK[name])
            print(f"{picture.relative_to(ROOT)}: {picture.stat().st_size // 1024} kB")
    return 0


def sent_for_one_order(folder: Path) -> dict[str, str]:
    """The HTML of the reminder and of the mail about the new date, as they were sent."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith("AVISA_")} | {
        "PYTHONPATH": str(ROOT),
        "AVISA_TEMPLATES": str(ROOT / "templates"),
        "AVISA_INBOX__DIR": "mails",
        "AVISA_HTTP__PORT": "18099",
        "AVISA_CLOCK__START": START.isoformat(),
        "AVISA_CLOCK__ORIGIN": (datetime.now(UTC) + SET_UP).isoformat(),
        "AVISA_CLOCK__SPEED": str(SPEED),
    }
    avisa = [sys.executable, "-m", "avisa.cli"]
    begun = time.monotonic()

    def publish(facts: dict[str, str]) -> None:
        event = json.dumps(ORDER | facts | {"occurred_at": now().isoformat()})
        subprocess.run([*avisa, "publish", "-"], input=event, text=True, cwd=folder, env=environ, check=True)

    def now() -> datetime:
        return START + (timedelta(seconds=time.monotonic() - begun) - SET_UP) * SPEED

    service = subprocess.Popen([*avisa, "run"], cwd=folder, env=environ)
    try:
        time.sleep(SET_UP.total_seconds())
        publish(IN_TIME)
        reminder = arrived(folder / "mails", "still in progress")
        publish(LATE)
        delayed = arrived(folder / "mails", "has changed")
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait()
    return {"still-in-progress": reminder, "delayed": delayed}


def arrived(mails: Path, about: str) -> str:
    """The HTML of the first mail whose subject says what it is `about`."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for file in sorted(mails.glob("*.eml")):
            mail = message_from_bytes(file.read_bytes(), policy=policy.default)
            body = mail.get_body(("html",))
            if about in mail["subject"] and body is not None:
                return str(body.get_content())
        time.sleep(0.2)
    raise TimeoutError(f"no mail about {about!r}")


def shoot(html: str, picture: Path, folder: Path, *, dark: bool) -> None:
    """Write what a browser shows of `html`."""
    page = folder / "mail.html"
    page.write_text(html)
    look = screenshots.Look(width=WIDTH, scale=SCALE, dark=dark)
    taken = screenshots.pictures(screenshots.find() or "chromium", page, [look])
    assert not isinstance(taken, screenshots.NoPicture), taken
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_bytes(taken[0])


if __name__ == "__main__":
    sys.exit(main())
