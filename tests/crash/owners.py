"""Owners who open the links in their mails and answer: at once or late, now and then twice, and not always.

They answer one question after the other. While the service is down they try again, and an answer whose page was lost
counts if the question shows it afterwards: nobody else answers.
"""

from __future__ import annotations

import html
import http.client
import random
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy

from avisa.web.question import TEXTS
from tests.oracle import Answered, Plan, message_id
from tests.oracle.testimony import Received, read_mail
from tests.replay.harness import Stage
from tests.replay.publisher import real_now
from tests.tools.answers import said_to_customer

ANSWERED = 0.7  # of all questions
TWICE = 0.5  # of all answers are sent again
_LATEST = 2.0  # real seconds; who is next in line is asked after one
_LOOK_EVERY = 0.1
_LINK = re.compile(r"http://127\.0\.0\.1:\d+/o/[\w-]+")
_ORDER = re.compile(r"G\d+-\d+")
_SEEN = re.compile(r'name="seen" value="([^"]+)"')
_OUTCOME = re.compile(r'<p role="status">(.*?)</p>', re.DOTALL)
_EPISODES, _QUESTIONS = 12, 60  # of an order, at most


@dataclass(frozen=True, slots=True)
class _Asked:
    order_id: str
    episode: int
    number: int
    link: str


@dataclass(frozen=True, slots=True)
class _Page:
    seen: str | None  # None: it cannot be answered
    outcome: str

    def says(self, beginning: str) -> bool:
        """Whether it says one of the texts with such a name, in any language."""
        texts = (value for text in TEXTS.values() for name, value in text.items() if name.startswith(beginning))
        return any(self.outcome.startswith(text.partition("{")[0]) for text in texts)


class Owners:
    """All owners of a stage. What they answered is in `stage.answered`."""

    def __init__(self, stage: Stage, rng: random.Random, *, farthest: int) -> None:
        """They give new dates up to `farthest` days from then."""
        self._stage, self._rng, self._farthest = stage, rng, farthest
        self._plan: Plan = stage.plan()
        self._enough = threading.Event()
        self._waiting: list[tuple[float, _Asked]] = []  # and when they will answer
        self._read = 0  # mails
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Owners:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Answer nothing any more, once the answer at hand is known to have been taken or not."""
        self._enough.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._enough.is_set():
            self._look()
            due = [entry for entry in self._waiting if entry[0] <= time.monotonic()]
            for entry in due:
                self._waiting.remove(entry)
                if not self._enough.is_set():
                    self._answer(entry[1])
            if not due:
                time.sleep(_LOOK_EVERY)

    def _look(self) -> None:
        """Into their mailboxes."""
        for mail in self._stage.sink.mails(after=self._read):
            self._read += 1
            at = self._stage.clock.virtual(mail.at)
            received = read_mail(mail.data, to=mail.to, at=at)
            if received.purpose != "ask_owner" or self._rng.random() > ANSWERED:
                continue
            asked = self._asked(received, mail.data)
            if asked is not None:
                self._waiting.append((time.monotonic() + self._rng.uniform(0, _LATEST), asked))

    def _asked(self, received: Received, data: bytes) -> _Asked | None:
        body = message_from_bytes(data, policy=policy.default).get_body(("plain",))
        link = _LINK.search(body.get_content()) if body is not None else None
        order = _ORDER.search(received.subject)
        if link is None or order is None:
            return None
        for episode in range(1, _EPISODES):
            for number in range(1, _QUESTIONS):
                for owner in self._plan.owners:
                    key = f"{order[0]}/{episode}/ask_owner/{number}/owner:{owner}"
                    if received.message_id in {message_id(key, domain) for domain in self._plan.domains}:
                        return _Asked(order[0], episode, number, link[0])
        return None

    def _answer(self, asked: _Asked) -> None:
        reply = self._rng.choice(["on_track", "tell", "tell", "pass_on"])
        said: dict[str, str] = {}
        if reply == "tell":
            said = said_to_customer(self._rng, len(self._stage.answered), self._now(), farthest=self._farthest)
        at, seen = self._now(), ""
        acted, lost = 0, False
        while True:
            looked = self._now()
            page = self._page(asked.link)
            if page is None:
                if self._enough.wait(_LOOK_EVERY) and not lost:
                    return
                continue
            if page.seen is None:
                if not (lost and page.says(f"answered_{reply}")):
                    return
                acted = 1
                break
            at, seen, lost = looked, page.seen, True
            page = self._page(asked.link, {"reply": reply, "seen": seen, **said})
            if page is not None:
                acted = page.says("acted_")
                break
        acked = self._now()
        if self._rng.random() < TWICE:
            page = self._page(asked.link, {"reply": reply, "seen": seen, **said})
            acted += page is not None and page.says("acted_")
        self._stage.answered.append(
            Answered(
                order_id=asked.order_id,
                episode=asked.episode,
                number=asked.number,
                at=at,
                acked=acked,
                reply=reply,
                facts=said,
                seen=seen,
                acted=acted,
            )
        )

    def _now(self) -> datetime:
        return self._stage.clock.virtual(real_now())

    def _page(self, link: str, form: Mapping[str, str] | None = None) -> _Page | None:
        """What is shown; None: nobody is there, or it was lost on its way."""
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        try:
            try:
                answer = urllib.request.urlopen(urllib.request.Request(link, data=data), timeout=10)
            except urllib.error.HTTPError as refused:
                answer = refused
            with answer:
                text = answer.read().decode()
        except (OSError, http.client.HTTPException):  # the second: killed in the middle of its answer
            return None
        seen, outcome = _SEEN.search(text), _OUTCOME.search(text)
        return _Page(seen[1] if seen else None, html.unescape(outcome[1]) if outcome else "")
