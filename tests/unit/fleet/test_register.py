"""The register stores units whole, numbers cameras, and spreads them over hosts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from drivers.model import CameraTarget, Credentials
from gateway.db.engine import Database, open_database, sqlite_url
from gateway.db.errors import ConflictError
from gateway.fleet.cameras import NUMBER_MAX, CameraFacts
from gateway.fleet.errors import UnknownCameraError
from gateway.fleet.moving import place_of
from gateway.fleet.register import Register
from gateway.vault import SealedElsewhereError
from kernel.geography import Place
from kernel.ids import CameraId
from tests.fakes.clock import ManualClock
from tests.fakes.descriptions import description, view
from tests.fakes.keys import Memory

TARGET = CameraTarget(
    address="192.0.2.1",
    credentials=Credentials(username="root", password=SecretStr("hush")),
    tls_verify=False,
    tls_fingerprint_sha256="ab" * 32,
    port_map={80: 8080},
)


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """Return an empty database."""
    async with open_database(sqlite_url(tmp_path / "a.db")) as database:
        yield database


@pytest.fixture
def register(database: Database, clock: ManualClock) -> Register:
    """Return an empty register."""
    return Register(database, clock=clock, vault=Memory.of(b"k" * 32).vault)


async def test_how_to_reach_a_device_comes_back_as_it_was(register: Register) -> None:
    """Address, credentials, certificate and forwarded ports."""
    (camera,), known = await register.store(TARGET, description(), CameraFacts(), host=0)
    assert not known
    target = await register.target(camera.device_id)
    assert target == TARGET


async def test_another_key_opens_no_password(register: Register, database: Database, clock: ManualClock) -> None:
    """A database without its key file is told as such."""
    (camera,), _ = await register.store(TARGET, description(), CameraFacts(), host=0)
    with pytest.raises(SealedElsewhereError):
        await Register(database, clock=clock, vault=Memory.of(b"x" * 32).vault).target(camera.device_id)


async def test_cameras_are_numbered_on(register: Register) -> None:
    """After the greatest number; and in the gaps once that is reached."""
    numbers = []
    for urn, number in (("a", None), ("b", 40), ("c", None), ("d", NUMBER_MAX), ("e", None), ("f", None)):
        (camera,), _ = await register.store(TARGET, description(urn), CameraFacts(number=number), host=0)
        numbers.append(camera.number)
    assert numbers == [1, 40, 41, NUMBER_MAX, 2, 3]


async def test_a_taken_number_stores_nothing(register: Register) -> None:
    """Neither the device nor any of its views."""
    await register.store(TARGET, description("a"), CameraFacts(number=5), host=0)
    with pytest.raises(ConflictError, match="Number 5"):
        await register.store(TARGET, description("b", views=(view("1"), view("2"))), CameraFacts(number=5), host=0)
    assert await register.urns() == {"a"}
    (other,), _ = await register.store(TARGET, description("c"), CameraFacts(), host=0)
    with pytest.raises(ConflictError, match="Number 5"):
        await register.change(other.id, CameraFacts(number=5))


async def test_a_unit_is_given_to_one_host(register: Register) -> None:
    """Its views stay together, also those it gains later; moved, they are listed where they went."""
    cameras, _ = await register.store(TARGET, description(views=(view("1"), view("2"))), CameraFacts(), host=2)
    assert [camera.host for camera in cameras] == [2, 2]
    more = description(views=(view("1"), view("2"), view("3")))
    cameras, _ = await register.store(TARGET, more, CameraFacts(), host=0)
    assert [camera.host for camera in cameras] == [2, 2, 2]
    await register.move({cameras[1].id: 1})
    assert [camera.host for camera in await register.cameras()] == [2, 1, 2]


async def test_a_unit_goes_with_its_last_view(register: Register) -> None:
    """Then it can be enrolled as new."""
    cameras, _ = await register.store(TARGET, description(views=(view("1"), view("2"))), CameraFacts(), host=0)
    await register.remove(cameras[0].id)
    assert await register.urns() == {"urn:uuid:1"}
    await register.remove(cameras[1].id)
    await register.remove(cameras[1].id)
    assert await register.urns() == set()
    with pytest.raises(UnknownCameraError):
        await register.target(cameras[0].device_id)


async def test_an_unknown_camera_cannot_change(register: Register) -> None:
    """It may have been removed meanwhile."""
    with pytest.raises(UnknownCameraError):
        await register.change(CameraId("none"), CameraFacts(name="x"))


def test_half_a_place_is_none() -> None:
    """Latitude and longitude belong together."""
    assert place_of(51.0, None, 3.0) is None
    assert place_of(None, 1.0, None) is None
    assert place_of(51.0, 1.0, None) == Place(51.0, 1.0, 0.0)
