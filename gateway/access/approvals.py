"""Acts that take two people, where the site's settings say so.

The first person asks for the act as always, with a reason, and is refused with the number of an approval; a second
person, who may approve and is somebody else, allows exactly this act; the first asks again with that number. It is
bound to the person and to every byte of the request, works once, and is forgotten after a quarter of an hour or with
the process.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.access.errors import SecondPersonError, UnknownError
from gateway.access.identity import Identity
from gateway.listeners import Listeners
from kernel.clock import NS_PER_S, Clock
from kernel.ids import new_id

VALID_S = 900
WAITING_MAX = 200
"""Approvals kept; the oldest makes room."""
REASON_MIN = 3
"""Characters; the second person reads it before they say yes."""


class Act(StrEnum):
    """What may be set to take two people (``access.two_people``)."""

    RELEASE_HOLD = "hold.release"
    REMOVE_USER = "user.remove"
    ADD_USER = "user.add"
    CHANGE_USER = "user.change"
    """Another password, role or account to sign in with: whoever changes that can be them."""
    GRANT = "grant.add"
    """Whatever may give more: grants, and the roles, teams and groups that they name."""
    EXPORT = "export.clip"


class Standing(StrEnum):
    """How an approval stands."""

    WAITING = "waiting"
    ALLOWED = "allowed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    """Whoever asked wants it no more."""


Fact = tuple[str, str]
"""A word for what is told, and what it is: times in ISO 8601, cameras by identifier, all else as people say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An act as somebody asks for it."""

    act: Act
    what: str
    """Method and path."""
    subject: str
    """The camera, user or group that it is about; empty where there is none."""
    facts: Sequence[Fact] = ()
    """What exactly, for the second person to read."""
    reason: str
    fingerprint: str


@dataclass(slots=True, kw_only=True)
class Approval:
    """One act that waits for a second person, or for the first to do it."""

    id: str
    asked: Asked
    asked_by: Identity
    asked_ns: int
    until_ns: int
    """Of the monotonic clock."""
    standing: Standing = Standing.WAITING
    decided_by: Identity | None = None
    answer: str = ""
    """Why it was refused."""


class Approvals:
    """Everything that waits."""

    def __init__(self, *, clock: Clock, acts: frozenset[Act]) -> None:
        self.acts = acts
        self._clock = clock
        self._known: dict[str, Approval] = {}
        self._listening: Listeners[[Approval]] = Listeners("approval.untold")

    def when_changed(self, call: Callable[[Approval], None]) -> Callable[[], None]:
        """Call ``call(approval)`` when one is asked for, decided or withdrawn; returns the detaching call."""
        return self._listening.add(call)

    def waiting(self) -> list[Approval]:
        """Return what waits for a second person, the oldest first."""
        self._forget()
        return [one for one in self._known.values() if one.standing is Standing.WAITING]

    def asked_for(self, who: Identity, fingerprint: str) -> Approval | None:
        """Return what this person's same request waits for already, or has been allowed."""
        self._forget()
        known = (
            one
            for one in self._known.values()
            if one.asked.fingerprint == fingerprint
            and one.asked_by.user_id == who.user_id
            and one.standing in {Standing.WAITING, Standing.ALLOWED}
        )
        return next(known, None)

    def ask(self, asked: Asked, who: Identity) -> Approval:
        """Have this act of this person wait for a second one; the same asked again is the same.

        Raises:
            SecondPersonError: there is no reason to it.
        """
        known = self.asked_for(who, asked.fingerprint)
        if known is not None:
            return known
        if len(asked.reason) < REASON_MIN:
            raise SecondPersonError("That takes two people.", cure="Say why, for the second person to read.")
        while len(self._known) >= WAITING_MAX:
            del self._known[next(iter(self._known))]
        one = Approval(
            id=new_id(),
            asked=asked,
            asked_by=who,
            asked_ns=self._clock.wall_ns(),
            until_ns=self._clock.monotonic_ns() + VALID_S * NS_PER_S,
        )
        self._known[one.id] = one
        self._tell(one)
        return one

    def own(self, approval_id: str, who: Identity) -> Approval:
        """Return what somebody asked for themselves.

        Raises:
            UnknownError: they did not, or it is over.
        """
        self._forget()
        one = self._known.get(approval_id)
        if one is None or one.asked_by.user_id != who.user_id:
            raise _unknown()
        return one

    def withdraw(self, approval_id: str, who: Identity) -> Approval:
        """Take back what one asked for oneself, also where it was allowed and is not done yet.

        Raises:
            UnknownError: it waits no more.
        """
        one = self.own(approval_id, who)
        if one.standing not in {Standing.WAITING, Standing.ALLOWED}:
            raise _unknown()
        return self._settle(one, Standing.WITHDRAWN, who)

    def decide(self, approval_id: str, who: Identity, *, allow: bool, answer: str = "") -> Approval:
        """Allow or refuse an act of somebody else.

        Raises:
            UnknownError: it does not wait any more.
            SecondPersonError: it is one's own.
        """
        one = next((one for one in self.waiting() if one.id == approval_id), None)
        if one is None:
            raise _unknown()
        if one.asked_by.user_id == who.user_id:
            raise SecondPersonError("You asked for it yourself.", cure="Somebody else must approve it.")
        one.answer = answer
        return self._settle(one, Standing.ALLOWED if allow else Standing.REFUSED, who)

    def use(self, approval_id: str, who: Identity, *, fingerprint: str) -> Approval:
        """Use up an approval for the act that it was given for.

        Raises:
            SecondPersonError: it was not given, not for this, not to this person, or is used up.
        """
        self._forget()
        one = self._known.get(approval_id)
        if (
            one is None
            or one.standing is not Standing.ALLOWED
            or one.asked.fingerprint != fingerprint
            or one.asked_by.user_id != who.user_id
        ):
            raise SecondPersonError(
                "This approval is not one for what you ask.", cure="Ask anew, and have it approved within 15 minutes."
            )
        del self._known[approval_id]
        return one

    def left_s(self, one: Approval) -> float:
        """Return how long an approval is kept from now on."""
        return max(0, one.until_ns - self._clock.monotonic_ns()) / NS_PER_S

    def _settle(self, one: Approval, standing: Standing, who: Identity) -> Approval:
        one.standing, one.decided_by = standing, who
        self._tell(one)
        return one

    def _forget(self) -> None:
        now_ns = self._clock.monotonic_ns()
        for one in [one for one in self._known.values() if now_ns >= one.until_ns]:
            del self._known[one.id]

    def _tell(self, approval: Approval) -> None:
        self._listening.tell(approval)


def _unknown() -> UnknownError:
    return UnknownError("Nothing waits for approval under that number.", cure="See what is waiting.")


def fingerprint_of(method: str, target: str, body: bytes) -> str:
    """Return what tells one request from another: method, path with query, and body."""
    whole = hashlib.sha256()
    for part in (method.encode(), target.encode(), body):
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()
