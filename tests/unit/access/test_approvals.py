"""Approvals are forgotten in time, and there is a bound to how many wait."""

import pytest

from gateway.access.approvals import VALID_S, WAITING_MAX, Act, Approvals, Asked, Standing, fingerprint_of
from gateway.access.errors import SecondPersonError, UnknownError
from gateway.access.identity import Identity
from gateway.access.permissions import Role
from tests.fakes.clock import ManualClock

WHO = Identity(user_id="u1", username="ann", name="Ann", role=Role.OPERATOR, session="s1")
SECOND = Identity(user_id="u2", username="sue", name="Sue", role=Role.SUPERVISOR, session="s2")


def approvals(clock: ManualClock) -> Approvals:
    """Return approvals of one act."""
    return Approvals(clock=clock, acts=frozenset({Act.EXPORT}))


def clip(fingerprint: str, reason: str = "For the court") -> Asked:
    """Return an export as it is asked for."""
    return Asked(act=Act.EXPORT, what="GET /x", subject="", reason=reason, fingerprint=fingerprint)


async def test_an_approval_is_forgotten_in_time(clock: ManualClock) -> None:
    """After a quarter of an hour it must be asked for anew."""
    some = approvals(clock)
    one = some.ask(clip("f"), WHO)
    assert some.left_s(one) == VALID_S
    await clock.turn(VALID_S - 1)
    assert some.waiting() == [one]
    await clock.turn(1)
    assert some.waiting() == []


def test_no_more_wait_than_can_be_read(clock: ManualClock) -> None:
    """The oldest makes room."""
    some = approvals(clock)
    for number in range(WAITING_MAX + 5):
        some.ask(clip(str(number)), WHO)
    assert len(some.waiting()) == WAITING_MAX
    assert some.waiting()[0].asked.fingerprint == "5"


def test_whoever_listens_is_told(clock: ManualClock) -> None:
    """Of what is asked for, until they listen no more."""
    some = approvals(clock)
    told: list[str] = []
    detach = some.when_changed(lambda one: told.append(one.asked.fingerprint))
    some.ask(clip("1"), WHO)
    detach()
    some.ask(clip("2"), WHO)
    assert told == ["1"]


def test_nothing_is_asked_without_a_reason(clock: ManualClock) -> None:
    """The second person has something to read."""
    some = approvals(clock)
    with pytest.raises(SecondPersonError):
        some.ask(clip("f", reason="no"), WHO)
    assert some.waiting() == []


def test_the_same_asked_again_is_the_same(clock: ManualClock) -> None:
    """Waiting or allowed already: nobody is asked twice, and who reloads the page gets what was given."""
    some = approvals(clock)
    one = some.ask(clip("f"), WHO)
    assert some.ask(clip("f", reason="Another"), WHO) is one
    some.decide(one.id, SECOND, allow=True)
    assert some.ask(clip("f"), WHO) is one


def test_what_is_withdrawn_opens_nothing(clock: ManualClock) -> None:
    """Also where it was allowed; and it can be asked for anew."""
    some = approvals(clock)
    one = some.ask(clip("f"), WHO)
    some.decide(one.id, SECOND, allow=True)
    some.withdraw(one.id, WHO)
    with pytest.raises(SecondPersonError):
        some.use(one.id, WHO, fingerprint="f")
    with pytest.raises(UnknownError):
        some.withdraw(one.id, WHO)
    assert some.ask(clip("f"), WHO) is not one


def test_only_ones_own_is_withdrawn(clock: ManualClock) -> None:
    """What somebody else asked for is refused, not withdrawn."""
    some = approvals(clock)
    one = some.ask(clip("f"), WHO)
    with pytest.raises(UnknownError):
        some.withdraw(one.id, SECOND)
    assert one.standing is Standing.WAITING


def test_requests_that_differ_have_other_fingerprints() -> None:
    """In any part, also where the parts run together the same."""
    seen = {fingerprint_of(*one) for one in (("GET", "/a", b"b"), ("GET", "/ab", b""), ("GE", "T/a", b"b"))}
    assert len(seen) == 3
