"""Makes one camera's eye and device, small and quick."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import pytest

from drivers.simulator.device import Aim, Lens, Mount, SimulatedDevice, StreamSettings
from drivers.simulator.picture.painter import Painter
from drivers.simulator.picture.scene import Scene
from drivers.simulator.town.town import Town
from kernel.ids import StreamName
from tests.fakes.clock import ManualClock


def mount_of(town: Town, number: int) -> Mount:
    """Return how camera ``number`` of a town is mounted."""
    site = town.sites(number)[number - 1]
    return Mount(place=town.place(site), bearing_deg=site.bearing_deg, lens=Lens(), home_tilt_deg=site.tilt_deg)


def aim_at(pan_deg: float = 0.0, tilt_deg: float = -8.0, hfov_deg: float = 62.0, *, moving: bool = False) -> Aim:
    """Return an aim."""
    return Aim(pan_deg, tilt_deg, 0.0, hfov_deg, moving)


@lru_cache(maxsize=4)
def scene_of(number: int) -> Scene:
    """Return the compiled surroundings of a camera; they do not change."""
    town = Town(seed=1, clock=ManualClock())
    site = town.sites(number)[number - 1]
    return Scene(town, (site.at[0], site.at[1], site.height_m))


@pytest.fixture
def town(clock: ManualClock) -> Town:
    """Return the town of seed 1."""
    return Town(seed=1, clock=clock)


@pytest.fixture
def painter(town: Town) -> Painter:
    """Return the eye of the camera on the High Street."""
    return Painter(town, mount_of(town, 2))


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Return threads for drawing."""
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
def device(town: Town, clock: ManualClock) -> SimulatedDevice:
    """Return a camera with a small main and a smaller sub stream, and no head."""
    return SimulatedDevice(
        number=7,
        name="High Street",
        serial="SIM7",
        urn="urn:uuid:00000000-0000-4000-8000-000000000007",
        mount=mount_of(town, 2),
        clock=clock,
        streams={
            StreamName.MAIN: StreamSettings(
                token="main", name=StreamName.MAIN, width=320, height=180, frame_rate=10.0, gop_frames=5
            ),
            StreamName.SUB: StreamSettings(
                token="sub", name=StreamName.SUB, width=160, height=90, frame_rate=10.0, gop_frames=5
            ),
        },
    )
