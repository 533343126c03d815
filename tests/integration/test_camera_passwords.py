"""A camera is given a random password: sealed before it hears of it, and never lost, wherever the link breaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from config.cameras import CameraSettings
from drivers.simulator.device import SimulatedDevice
from drivers.simulator.faults import Faults
from gateway.app import Gateway, database_url, key_file, open_gateway
from gateway.db.engine import open_database
from gateway.fleet import rpc
from gateway.fleet.cameras import CameraFacts
from gateway.fleet.passwords import LENGTH, new_password
from gateway.fleet.register import Register
from gateway.startup import prepare_data_dir
from gateway.vault import Vault
from gateway.worker import open_host
from kernel.clock import SystemClock
from tests.fakes.desk import PASSWORD, PATIENCE_S, settings_in
from tests.fakes.hasty import HastyClock
from tests.fakes.onecamera import described, one_camera, target_of
from tests.fakes.waiting import told, until

pytestmark = pytest.mark.timeout(120)
FACTORY = "simulated"


@dataclass
class Site:
    """A gateway with one camera, and who is signed in there as an administrator."""

    gateway: Gateway
    device: SimulatedDevice
    admin: httpx.AsyncClient
    camera: str
    path: Path

    @property
    def url(self) -> str:
        """Return where the camera's password is."""
        return f"/api/v1/cameras/{self.camera}/password"

    async def standing(self) -> dict[str, object]:
        """Return how its password stands."""
        answer: dict[str, object] = (await self.admin.get(self.url)).json()
        return answer

    async def kept(self) -> str:
        """Return the password by which the gateway comes to the camera now."""
        database = self.gateway.database
        vault = await asyncio.to_thread(Vault.of, key_file(self.gateway.rooms.settings))
        (device,) = {one.device_id for one in self.gateway.fleet.cameras()}
        target = await Register(database, clock=SystemClock(), vault=vault).target(device)
        return target.credentials.password.get_secret_value()

    def live(self) -> bool:
        """Return whether pictures come."""
        state = self.gateway.fleet.state(self.gateway.fleet.cameras()[0].id)
        return state is not None and state.live is rpc.LiveState.LIVE


@asynccontextmanager
async def site_in(path: Path, device: SimulatedDevice) -> AsyncIterator[Site]:
    """Give a gateway that knows the camera already, without a trial of its head."""
    clock = HastyClock()
    settings = settings_in(path).model_copy(update={"cameras": CameraSettings(allow_loopback=True)})
    await asyncio.to_thread(prepare_data_dir, path)
    vault = await asyncio.to_thread(Vault.of, key_file(settings))
    async with open_database(database_url(settings)) as database:
        register = Register(database, clock=clock, vault=vault)
        if not await register.urns():
            await register.store(target_of(device), described(device), CameraFacts(), host=0)
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(open_gateway(settings, clock=clock, open_host=open_host))
        headers = {"Origin": gateway.url, "X-Sightline": "1"}
        admin = httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=PATIENCE_S)
        await stack.enter_async_context(admin)
        body = {"username": "root", "password": PASSWORD, "name": "Root"}
        path_of, said = ("/setup", {"code": gateway.setup_code}) if gateway.setup_code else ("/session", {})
        answer = await admin.post(
            f"/api/v1{path_of}", json={**body, **said} if said else {k: body[k] for k in ("username", "password")}
        )
        assert answer.status_code in {200, 201}, answer.text
        yield Site(gateway, device, admin, gateway.fleet.cameras()[0].id, path)


@pytest_asyncio.fixture
async def device() -> AsyncIterator[SimulatedDevice]:
    """Return a camera as it comes from the factory."""
    async with one_camera(SystemClock(), faults=Faults()) as device:
        device.other_accounts = {"service": "Operator"}
        yield device


@pytest_asyncio.fixture
async def site(tmp_path: Path, device: SimulatedDevice) -> AsyncIterator[Site]:
    """Return a gateway whose camera is live."""
    async with site_in(tmp_path, device) as site:
        await until(site.live, what="the camera's pictures")
        yield site


async def test_a_camera_is_given_a_password_that_nobody_sees(site: Site) -> None:
    """It takes it, is live by it, and neither answer, audit nor database tell which; its other accounts are named."""
    answer = await site.admin.post(site.url)
    assert answer.status_code == 200, answer.text
    made = site.device.password
    assert made != FACTORY
    assert await site.kept() == made
    assert answer.json()["other_accounts"] == [{"name": "service", "level": "Operator"}]
    assert answer.json()["in_clear"] is True
    assert (await site.standing()) == {"random_since": answer.json()["random_since"], "under_way": False}
    await until(site.live, what="the camera's pictures by the new password")
    await site.gateway.trail.settled()
    assert made not in answer.text
    found = await asyncio.to_thread(
        lambda: [file for file in site.path.rglob("*") if file.is_file() and made.encode() in file.read_bytes()]
    )
    assert found == []
    (event,) = (await site.admin.get("/api/v1/audit", params={"action": "camera.password"})).json()["entries"]
    assert (event["subject"], event["outcome"]) == (site.camera, "done")


async def test_a_link_that_breaks_before_the_camera_hears_leaves_the_old_one(site: Site) -> None:
    """Nothing is lost: the old one is used on, and a second try sends the password that was made."""
    site.device.faults.setuser_unheard = True
    answer = await site.admin.post(site.url)
    assert (answer.status_code, answer.json()["type"]) == (504, "fleet.password-unsure")
    assert (await site.kept(), site.device.password) == (FACTORY, FACTORY)
    assert (await site.standing())["under_way"] is True
    site.device.faults.setuser_unheard = site.device.faults.refuse_connections = False
    await until(site.live, what="the camera's pictures by the old password")
    assert (await site.admin.post(site.url)).status_code == 200
    assert await site.kept() == site.device.password != FACTORY


async def test_a_link_that_breaks_after_the_camera_took_it_is_found_out(site: Site) -> None:
    """The camera has the new one and we do not know: as soon as it is back it is used, by itself."""
    site.device.faults.setuser_unanswered = True
    answer = await site.admin.post(site.url)
    assert answer.json()["type"] == "fleet.password-unsure"
    assert site.device.password != FACTORY
    assert await site.kept() == FACTORY
    site.device.faults.setuser_unanswered = site.device.faults.refuse_connections = False
    await told(site.standing, lambda one: one["under_way"] is False, timeout_s=60.0, what="it to be found out")
    assert await site.kept() == site.device.password
    await until(site.live, what="the camera's pictures by the new password")


async def test_a_gateway_that_died_in_between_finds_out_when_it_starts(tmp_path: Path, device: SimulatedDevice) -> None:
    """The password that the camera took was stored before it heard of it."""
    async with site_in(tmp_path, device) as site:
        device.faults.setuser_unanswered = True
        await site.admin.post(site.url)
    device.faults.setuser_unanswered = device.faults.refuse_connections = False
    async with site_in(tmp_path, device) as site:
        await told(site.standing, lambda one: one["under_way"] is False, timeout_s=60.0, what="it to be found out")
        assert await site.kept() == device.password != FACTORY
        await until(site.live, what="the camera's pictures")


async def test_a_camera_that_refuses_keeps_its_own(site: Site) -> None:
    """Its reason is told, and no password is on its way any more."""
    site.device.faults.setuser_refused = True
    answer = await site.admin.post(site.url)
    assert answer.json()["type"] == "camera.fault"
    assert "too weak" in answer.text
    assert await site.standing() == {"random_since": None, "under_way": False}
    assert await site.kept() == site.device.password == FACTORY
    await site.gateway.trail.settled()
    (event,) = (await site.admin.get("/api/v1/audit", params={"action": "camera.password"})).json()["entries"]
    assert event["outcome"] == "failed"


async def test_a_camera_that_says_yes_and_takes_nothing_is_found_out(site: Site) -> None:
    """The old one is in force, and that is said."""
    site.device.faults.setuser_ignored = True
    answer = await site.admin.post(site.url)
    assert answer.json()["type"] == "fleet.password-not-taken"
    assert await site.kept() == site.device.password == FACTORY


async def test_another_device_at_the_address_is_told_nothing(site: Site) -> None:
    """Units come from the factory with one password: one that took another's would be locked."""
    site.device.serial = "somebody else's"
    answer = await site.admin.post(site.url)
    assert answer.json()["type"] == "fleet.another-device"
    assert site.device.password == FACTORY
    assert (await site.standing())["under_way"] is False


async def test_it_is_for_who_enrols(site: Site) -> None:
    """An operator may not."""
    body = {"username": "olu", "role": "operator", "password": PASSWORD, "name": "Olu"}
    assert (await site.admin.post("/api/v1/users", json=body)).status_code == 201
    headers = {"Origin": site.gateway.url, "X-Sightline": "1"}
    async with httpx.AsyncClient(base_url=site.gateway.url, headers=headers, timeout=PATIENCE_S) as client:
        await client.post("/api/v1/session", json={"username": "olu", "password": PASSWORD})
        assert (await client.post(site.url)).status_code == 403
        assert (await client.get(site.url)).status_code == 403
    assert site.device.password == FACTORY


def test_a_password_is_one_that_every_make_takes() -> None:
    """Sixteen letters and digits, some of each kind, and never the same."""
    made = {new_password() for _ in range(100)}
    assert len(made) == 100
    for one in made:
        assert len(one) == LENGTH
        assert one.isalnum()
        assert any(map(str.isupper, one))
        assert any(map(str.islower, one))
        assert any(map(str.isdigit, one))
