"""Acts that take two people, where the site's settings say so.

The first person asks for the act as always and is refused with the number of an approval; a second person, who may
approve and is somebody else, allows exactly this act; the first asks again with that number. It is bound to the person
and to every byte of the request, works once, and is forgotten after a quarter of an hour or with the process.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from gateway.access.errors import SecondPersonError, UnknownError
from gateway.access.identity import Identity
from kernel.clock import NS_PER_S, Clock
from kernel.ids import new_id

VALID_S = 900
WAITING_MAX = 200
"""Approvals kept; the oldest makes room."""


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


@dataclass(slots=True, kw_only=True)
class Approval:
    """One act that waits for a second person, or for the first to do it."""

    id: str
    act: Act
    asked_by: Identity
    what: str
    """Method and path, for the second person to read."""
    subject: str
    """The camera, user or group that it is about; empty where there is none."""
    fingerprint: str
    asked_ns: int
    until_ns: int
    """Of the monotonic clock."""
    approved_by: Identity | None = None
    denied: bool = False


class Approvals:
    """Everything that waits."""

    def __init__(self, *, clock: Clock, acts: frozenset[Act]) -> None:
        self.acts = acts
        self._clock = clock
        self._known: dict[str, Approval] = {}
        self._listening: list[Callable[[Approval], None]] = []

    def when_changed(self, call: Callable[[Approval], None]) -> Callable[[], None]:
        """Call ``call(approval)`` when one is asked for, given or denied; returns the detaching call."""
        self._listening.append(call)
        return lambda: self._listening.remove(call)

    def waiting(self) -> list[Approval]:
        """Return what waits for a second person, the oldest first."""
        self._forget()
        return [one for one in self._known.values() if one.approved_by is None and not one.denied]

    def ask(self, act: Act, who: Identity, *, what: str, subject: str, fingerprint: str) -> tuple[Approval, bool]:
        """Return the approval that this act of this person waits for, and whether it is new."""
        self._forget()
        for one in self._known.values():
            if one.fingerprint == fingerprint and one.asked_by.user_id == who.user_id and not one.denied:
                return one, False
        while len(self._known) >= WAITING_MAX:
            del self._known[next(iter(self._known))]
        now_ns = self._clock.monotonic_ns()
        one = Approval(
            id=new_id(),
            act=act,
            asked_by=who,
            what=what,
            subject=subject,
            fingerprint=fingerprint,
            asked_ns=self._clock.wall_ns(),
            until_ns=now_ns + VALID_S * NS_PER_S,
        )
        self._known[one.id] = one
        self._tell(one)
        return one, True

    def decide(self, approval_id: str, who: Identity, *, allow: bool) -> Approval:
        """Allow or deny an act of somebody else.

        Raises:
            UnknownError: it does not wait any more.
            SecondPersonError: it is one's own.
        """
        one = next((one for one in self.waiting() if one.id == approval_id), None)
        if one is None:
            raise UnknownError("Nothing waits for approval under that number.", cure="See what is waiting.")
        if one.asked_by.user_id == who.user_id:
            raise SecondPersonError("You asked for it yourself.", cure="Somebody else must approve it.")
        if allow:
            one.approved_by = who
        else:
            one.denied = True
        self._tell(one)
        return one

    def use(self, approval_id: str, who: Identity, *, fingerprint: str) -> Approval:
        """Use up an approval for the act that it was given for.

        Raises:
            SecondPersonError: it was not given, not for this, not to this person, or is used up.
        """
        self._forget()
        one = self._known.get(approval_id)
        if (
            one is None
            or one.approved_by is None
            or one.fingerprint != fingerprint
            or one.asked_by.user_id != who.user_id
        ):
            raise SecondPersonError(
                "This approval is not one for what you ask.", cure="Ask anew, and have it approved within 15 minutes."
            )
        del self._known[approval_id]
        return one

    def _forget(self) -> None:
        now_ns = self._clock.monotonic_ns()
        for one in [one for one in self._known.values() if now_ns >= one.until_ns]:
            del self._known[one.id]

    def _tell(self, approval: Approval) -> None:
        for call in tuple(self._listening):
            call(approval)


def fingerprint_of(method: str, target: str, body: bytes) -> str:
    """Return what tells one request from another: method, path with query, and body."""
    whole = hashlib.sha256()
    for part in (method.encode(), target.encode(), body):
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()
