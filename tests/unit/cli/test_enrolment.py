"""The demonstration waits for a camera host that answers late."""

import asyncio
from pathlib import Path

import pytest

from gateway.cli.enrolment import PATIENCE_S, patiently
from gateway.fleet import rpc
from gateway.fleet.calls import HostError, HostSilentError
from tests.fakes.clock import ManualClock

SOCKET = Path("host.sock")


class Late:
    """Answers once it was asked so often."""

    def __init__(self, *, after: int) -> None:
        self.asked = 0
        self._after = after

    async def __call__(self) -> str:
        """Answer, or be silent."""
        self.asked += 1
        if self.asked <= self._after:
            raise HostSilentError(SOCKET, "ReadTimeout")
        return "enrolled"


async def test_a_host_that_answers_late_is_asked_again() -> None:
    """A start on a slow machine is no reason to end the demonstration."""
    clock, late = ManualClock(), Late(after=3)
    asking = asyncio.create_task(patiently(late, clock=clock))
    await clock.turn(PATIENCE_S / 2)
    assert await asking == "enrolled"
    assert late.asked == 4


async def test_one_that_stays_silent_is_told_of() -> None:
    """After a while it is not slowness."""
    clock, late = ManualClock(), Late(after=10_000)
    asking = asyncio.create_task(patiently(late, clock=clock))
    await clock.turn(PATIENCE_S + 10)
    with pytest.raises(HostSilentError):
        await asking


async def test_a_refusal_is_no_lateness() -> None:
    """A wrong password stays wrong."""

    async def refused() -> str:
        raise HostError(rpc.Problem(type="camera.password", title="Wrong.", status=422))

    with pytest.raises(HostError, match="Wrong"):
        await patiently(refused, clock=ManualClock())
