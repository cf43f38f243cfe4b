"""The case of one order: what its mails should have been."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from tests.oracle.alerts import Alerts
from tests.oracle.course import Course, Step, Told
from tests.oracle.names import Sent
from tests.oracle.plan import Plan
from tests.oracle.promises import AT_RISK, BROKEN, Promises, calls_for
from tests.oracle.questions import Questions
from tests.oracle.silence import Silence
from tests.oracle.testimony import Latitude
from tests.oracle.verdict import Kind, Verdict


class Case:
    """The records of an order against the mails it gave rise to."""

    def __init__(
        self,
        course: Course,
        sent: list[Sent],
        plan: Plan,
        latitude: Latitude,
        verdict: Verdict,
        alerts: Alerts,
        numbers: Collection[str],
    ) -> None:
        """`alerts` are those of all orders, and `numbers` what lists may call this one."""
        self.course = course
        self.plan = plan
        self.latitude = latitude
        self.verdict = verdict
        self.alerts = alerts
        self.numbers = numbers
        self.to_customer = [mail for mail in sent if mail.name.to_customer]
        self.to_owners = [mail for mail in sent if not mail.name.to_customer]

    def hear(self) -> None:
        """Every check, into the verdict."""
        self._recipients()
        self._order()
        if not self.course.sure or not self._asked_for():
            return
        self._no_sooner_than_asked()
        self._nothing_stale()
        self._quiet()
        if all(step.address for step in self.course.steps):  # what was dropped for want of one leaves no trace
            self._updates()
            self._changed_facts()
            self._alerts()
            silence = Silence(self.course, self.to_customer, self.plan, self.latitude, self.verdict)
            silence.hear()
            Promises(self.course, self.to_customer, self.plan, self.latitude, self.verdict).hear()
            Questions(self.course, self.to_owners, silence, self.plan, self.latitude, self.verdict).hear()

    def _blame(self, kind: Kind, text: str) -> None:
        self.verdict.add(kind, self.course.order_id, text)

    def _recipients(self) -> None:
        addresses = {step.address for step in self.course.steps}
        for mail in self.to_customer:
            if mail.mail.to not in addresses:
                self._blame(Kind.WRONG_RECIPIENT, f"{mail.name.key} went elsewhere")
        for mail in self.to_owners:
            if mail.mail.to != self.plan.owners[mail.name.recipient.removeprefix("owner:")]:
                self._blame(Kind.WRONG_RECIPIENT, f"{mail.name.key} went elsewhere")

    def _order(self) -> None:
        """Promise 3; and within an episode each purpose by its ordinals."""
        newest = 0
        ordinals: Counter[tuple[int, str]] = Counter()
        for mail in self.to_customer:
            name = mail.name
            if name.episode < newest:
                self._blame(Kind.OUT_OF_ORDER, f"{name.key} at {mail.at}, after episode {newest}")
            newest = max(newest, name.episode)
            last = ordinals[name.episode, name.purpose]
            if int(name.ordinal) <= last:
                self._blame(Kind.OUT_OF_ORDER, f"{name.key} at {mail.at}, after number {last}")
            ordinals[name.episode, name.purpose] = max(last, int(name.ordinal))

    def _asked_for(self) -> bool:
        """Whether some record asks for each mail: of one that none asks for, such as an update about what the service
        alone remembers, nothing else could be judged."""
        beyond = [mail for mail in self.to_customer if not self._has_a_record(mail)]
        for mail in beyond:
            self._blame(Kind.UNEXPECTED, f"{mail.name.key} at {mail.at}: no record asks for it")
        return not beyond

    def _has_a_record(self, mail: Sent) -> bool:
        episode, purpose = mail.name.episode, mail.name.purpose
        if episode > self.course.episodes:
            return False
        asking = {"update": self.course.updates, "promise_moved": self.course.moves}.get(purpose)
        return asking is None or int(mail.name.ordinal) <= len(asking(episode))

    def _no_sooner_than_asked(self) -> None:
        """The n-th mail of a kind comes after the n-th record that asks for one, and there are no more of them."""
        for episode in range(1, self.course.episodes + 1):
            for purpose, steps in (
                ("update", self.course.updates(episode)),
                ("promise_moved", self.course.moves(episode)),
            ):
                for mail in self._of(episode, purpose):
                    asked = steps[int(mail.name.ordinal) - 1].at
                    if mail.at < asked:
                        self._blame(Kind.UNEXPECTED, f"{mail.name.key} at {mail.at}, asked for at {asked}")
            asking = {id(step) for step in (*self.course.updates(episode), *self.course.moves(episode))}
            told = len(self._of(episode, "update", "promise_moved"))
            if told > len(asking):
                self._blame(Kind.UNEXPECTED, f"{told} mails in episode {episode}, {len(asking)} asked for")

    def _nothing_stale(self) -> None:
        """What is superseded by the time it would be sent is not sent."""
        for mail in self.to_customer:
            name = mail.name
            if name.purpose == "update" and self.course.opening(name.episode).touchpoint.always:
                continue
            status = self.course.opening(name.episode).status
            for later in self.course.openings(after=name.episode):
                news = Told.YES in (later.told, later.returns)  # of the way there the customer need not hear
                ended = later.touchpoint.final and (name.purpose != "update" or later.status != status)
                newer = ended or (news and name.purpose != "promise_moved")
                if (
                    newer
                    and self.latitude.taken_in(later.acked, mail.at)
                    and not self._is_back(later, status, mail.at)
                ):
                    self._blame(
                        Kind.STALE, f"{name.key} at {mail.at}, though {later.status} was there at {later.acked}"
                    )
                    break

    def _is_back(self, since: Step, status: str, at: datetime) -> bool:
        """Whether by then the order may have been back in a status that it had left by `since`: what waits about it
        says what is true again."""
        back = (it for it in self.course.openings(after=since.episode) if it.status == status and it.at <= at)
        return any(it.returns.possible for it in back)

    def _quiet(self) -> None:
        for mail in self.to_customer:
            opening = self.course.opening(mail.name.episode)
            if mail.is_reminder or opening.touchpoint.quiet is None:
                continue  # a reminder that was decided on time is not held
            stretch = opening.touchpoint.quiet.holding(mail.at, opening.zone)
            if stretch and mail.at - self.latitude.patience > stretch[0]:
                self._blame(Kind.IN_QUIET_HOURS, f"{mail.name.key} at {mail.at}")

    def _updates(self) -> None:
        """Every episode that was to be told was told, unless something newer came before it could be."""
        for opening in self.course.openings():
            if opening.told is not Told.YES:
                continue
            due = opening.told_by(self.latitude)
            mails = self._of(opening.episode, "update")
            if mails and mails[0].at > due:
                self._blame(Kind.LATE, f"{mails[0].name.key} at {mails[0].at}, due by {due}")
            overtaken = not opening.touchpoint.always and self._overtaken(opening, due, by_reminders=True)
            if not mails and not overtaken and due < self.latitude.until:
                self._blame(Kind.LOST, f"the update of episode {opening.episode} ({opening.status}), due by {due}")

    def _changed_facts(self) -> None:
        """Every moved promise and every new reason was told, by itself or by something newer."""
        for step in self.course.steps:
            if Told.YES not in (step.promise_moved, step.reason_changed):
                continue
            due = step.told_by(self.latitude)
            # A promise is also carried by the update of an earlier episode that is told whatever came since.
            first = step.episode if step.reason_changed.possible else 1
            told = any(
                step.at <= mail.at <= due
                for episode in range(first, self.course.episodes + 1)
                for mail in self._of(episode, "update", "promise_moved")
            )
            taken_back = any(
                step.at <= later.at <= due and later.promise != step.promise for later in self.course.steps
            )
            nothing_new = step.reason_changed is Told.NO and self._believed_before(step)
            if due < self.latitude.until and not (
                told
                or taken_back
                or nothing_new
                or self._overtaken(step, due, by_reminders=step.reason_changed.possible)
            ):
                self._blame(Kind.LOST, f"the change of facts of {step.at}, due by {due}")

    def _believed_before(self, step: Step) -> bool:
        """Whether the promise is the one that the customer was told last: what it was meanwhile they never heard."""
        heard = [mail for mail in self.to_customer if not mail.of_silence and mail.at < step.at]
        if not heard:
            return False
        last = heard[-1]
        name = last.name
        steps = self.course.updates(name.episode) if name.purpose == "update" else self.course.moves(name.episode)
        asked = steps[int(name.ordinal) - 1]  # its facts were read between then and when it came
        return step.promise in {told.promise for told in self.course.steps if asked.at <= told.at <= last.at}

    def _overtaken(self, step: Step, due: datetime, *, by_reminders: bool) -> bool:
        """Whether something newer may have come before it was sent: another episode that ended the order or was
        told, be it by its update, by changed facts or, if it began in silence, by a reminder."""
        reminded = {mail.name.episode for mail in self.to_customer if mail.of_silence and by_reminders}
        return any(
            later.touchpoint.final
            or later.told.possible
            or later.returns.possible
            or later.episode in reminded
            or any(change.changes_facts and change.at <= due for change in self.course.within(later.episode))
            for later in self.course.openings(after=step.episode)
            if later.at <= due
        )

    def _alerts(self) -> None:
        """The owner is told of an unknown status, and of an order that is stuck; each once an episode, be it in a
        list."""
        alerted = {
            (mail.name.episode, mail.name.ordinal, mail.name.recipient): mail.at
            for mail in self.to_owners
            if mail.name.purpose == "owner_alert"
        }
        expected: dict[tuple[int, str], datetime] = {}  # when it was decided, at the latest
        for step in self.course.steps:
            if step.alerts_owner is Told.YES and step.owner in self.plan.owners:
                expected.setdefault((step.episode, "unknown_status"), step.acked)
        last = {
            mail.name.episode: mail.at
            for mail in self.to_customer
            if mail.is_reminder
            and int(mail.name.ordinal) == self.course.opening(mail.name.episode).touchpoint.at_most
        }
        for episode, at in last.items():
            if all(step.owner in self.plan.owners for step in self.course.within(episode)):
                expected[episode, "stuck"] = at
        for mail in self.to_customer:
            if mail.name.purpose == "promise_broken" and all(
                step.owner in self.plan.owners for step in self.course.within(mail.name.episode)
            ):
                expected.setdefault((mail.name.episode, "promise_broken"), mail.at)
        for (episode, kind), decided in expected.items():
            owners = {f"owner:{step.owner}" for step in self.course.within(episode)}
            due = max(self.alerts.due(kind, owner, decided, self.latitude) for owner in owners)
            since = self.course.opening(episode).at
            alone = [alerted.get((episode, kind, owner)) for owner in owners]
            listed = [self.alerts.listed(kind, owner, self.numbers, since, due) for owner in owners]
            came = next((at for at in (*alone, *listed) if at is not None), None)
            if came is not None and came > due:
                self._blame(Kind.LATE, f"the owner's alert {kind} of episode {episode} at {came}, due by {due}")
            if came is None and due < self.latitude.until:
                self._blame(Kind.LOST, f"the owner's alert {kind} of episode {episode}, due by {due}")
        for (episode, kind, _), at in alerted.items():
            if kind == "stuck" and episode not in last and not self._last_dropped(episode, at):
                self._blame(Kind.UNEXPECTED, f"the owner's alert {kind} of episode {episode} at {at}")

    def _last_dropped(self, episode: int, by: datetime) -> bool:
        """The last reminder may have been decided and then dropped, because something newer came, or time called for
        a word on the promise."""
        steps = self.course.within(episode)
        called = (
            due for step in steps for purpose in (AT_RISK, BROKEN) for _, due in calls_for(purpose, step, self.plan)
        )
        return bool(self.course.openings(after=episode)) or len(steps) > 1 or any(due <= by for due in called)

    def _of(self, episode: int, *purposes: str) -> list[Sent]:
        return [m for m in self.to_customer if m.name.episode == episode and m.name.purpose in purposes]
