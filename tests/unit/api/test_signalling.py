"""How fast a session may open and change views."""

import pytest

from config.live import LiveSettings
from gateway.access.identity import Identity
from gateway.access.permissions import Role
from gateway.api.errors import TooManyOffersError
from gateway.api.signalling import KEPT, Signalling
from tests.fakes.clock import ManualClock


def somebody(session: str) -> Identity:
    """Return who came by a session."""
    return Identity(user_id="1", username="ann", name="Ann", role=Role.OPERATOR, session=session)


async def test_a_session_is_told_when_to_come_again(clock: ManualClock) -> None:
    """After the burst one request more is refused with the time, after which it is taken; another session goes on."""
    signalling = Signalling(LiveSettings(signalling_per_s=0.5, signalling_burst=2), clock=clock)
    for _ in range(2):
        signalling.count(somebody("a"))
    with pytest.raises(TooManyOffersError) as error:
        signalling.count(somebody("a"))
    assert (error.value.status, error.value.retry_after_s) == (429, 2)
    signalling.count(somebody("b"))
    await clock.turn(2)
    signalling.count(somebody("a"))


async def test_who_has_used_up_something_is_not_forgotten(clock: ManualClock) -> None:
    """However many sessions come, only those whose allowance is whole again are let go."""
    signalling = Signalling(LiveSettings(signalling_per_s=0.01, signalling_burst=1), clock=clock)
    signalling.count(somebody("first"))
    for number in range(KEPT):
        signalling.count(somebody(str(number)))
    with pytest.raises(TooManyOffersError):
        signalling.count(somebody("first"))
    await clock.turn(101)
    signalling.count(somebody("late"))
    assert set(signalling._of) == {"late"}
