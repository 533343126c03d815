"""Looking at a camera turns its head once, and never one that an operator may be steering."""

import pytest

from drivers.addresses import AddressPolicy
from drivers.simulator.device import SimulatedDevice
from gateway.fleet import rpc
from gateway.worker.probing import KEPT_S, Prober
from kernel.clock import SystemClock
from kernel.ids import new_camera_id
from tests.fakes.onecamera import described, one_camera, target_of

pytestmark = pytest.mark.timeout(90)
MOVES = {"ContinuousMove", "RelativeMove", "AbsoluteMove"}


class LaterClock(SystemClock):
    """The machine's clock, some seconds on."""

    ahead_ns = 0

    def monotonic_ns(self) -> int:
        """Return CLOCK_MONOTONIC, moved on."""
        return super().monotonic_ns() + self.ahead_ns


def moves(device: SimulatedDevice) -> int:
    """Return how often the head was told to move."""
    return sum(request.name in MOVES for request in device.requests)


async def test_the_enrolment_after_a_look_does_not_turn_the_head_again() -> None:
    """A look is answered from the one before it for two minutes, once; after that the camera is looked at anew."""
    clock = LaterClock()
    prober = Prober(clock=clock, policy=AddressPolicy(allow_loopback=True), max_clock_offset_s=300.0)
    async with one_camera(clock) as device:
        await prober.probe(target_of(device), owned=())
        turned = moves(device)
        assert turned > 0
        clock.ahead_ns = (KEPT_S + 1) * 1_000_000_000
        late = await prober.probe(target_of(device), owned=())
        assert moves(device) > turned
        turned = moves(device)
        assert await prober.probe(target_of(device), owned=()) is late
        assert moves(device) == turned


async def test_an_owned_head_is_not_tried() -> None:
    """A camera that this host owns keeps the head that is known of it, and stands."""
    prober = Prober(clock=SystemClock(), policy=AddressPolicy(allow_loopback=True), max_clock_offset_s=300.0)
    async with one_camera(SystemClock()) as device:
        description = described(device)
        owned = rpc.CameraAssignment(
            id=new_camera_id(), target=target_of(device), view=description.views[0], description=description
        )
        found = await prober.probe(target_of(device), owned=[owned])
        assert moves(device) == 0
        assert found.description.views[0].head == description.views[0].head
