"""Approvals are forgotten in time, and there is a bound to how many wait."""

from gateway.access.approvals import VALID_S, WAITING_MAX, Act, Approvals, fingerprint_of
from gateway.access.identity import Identity
from gateway.access.permissions import Role
from tests.fakes.clock import ManualClock

WHO = Identity(user_id="u1", username="ann", name="Ann", role=Role.OPERATOR, session="s1")


def approvals(clock: ManualClock) -> Approvals:
    """Return approvals of one act."""
    return Approvals(clock=clock, acts=frozenset({Act.EXPORT}))


async def test_an_approval_is_forgotten_in_time(clock: ManualClock) -> None:
    """After a quarter of an hour it must be asked for anew."""
    some = approvals(clock)
    one, fresh = some.ask(Act.EXPORT, WHO, what="GET /x", subject="", fingerprint="f")
    assert fresh
    await clock.turn(VALID_S - 1)
    assert some.waiting() == [one]
    await clock.turn(1)
    assert some.waiting() == []


def test_no_more_wait_than_can_be_read(clock: ManualClock) -> None:
    """The oldest makes room."""
    some = approvals(clock)
    for number in range(WAITING_MAX + 5):
        some.ask(Act.EXPORT, WHO, what="GET /x", subject="", fingerprint=str(number))
    assert len(some.waiting()) == WAITING_MAX
    assert some.waiting()[0].fingerprint == "5"


def test_whoever_listens_is_told(clock: ManualClock) -> None:
    """Of what is asked for, until they listen no more."""
    some = approvals(clock)
    told: list[str] = []
    detach = some.when_changed(lambda one: told.append(one.fingerprint))
    some.ask(Act.EXPORT, WHO, what="GET /x", subject="", fingerprint="1")
    detach()
    some.ask(Act.EXPORT, WHO, what="GET /x", subject="", fingerprint="2")
    assert told == ["1"]


def test_requests_that_differ_have_other_fingerprints() -> None:
    """In any part, also where the parts run together the same."""
    seen = {fingerprint_of(*one) for one in (("GET", "/a", b"b"), ("GET", "/ab", b""), ("GE", "T/a", b"b"))}
    assert len(seen) == 3
