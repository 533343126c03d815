"""A camera is given a random password: sealed before it hears of it, and never lost, wherever the link breaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx
import pytest
import pytest_asyncio

from config.cameras import CameraSettings
from drivers.simulator.device import SimulatedDevice
from gateway.app import Gateway, database_url, key_file, open_gateway
from gateway.db.engine import open_database
from gateway.fleet import rpc
from gateway.fleet.cameras import CameraFacts
from gateway.fleet.passwords import LENGTH, new_password
from gateway.fleet.pointing import Spot
from gateway.fleet.register import Register
from gateway.startup import prepare_data_dir
from gateway.vault import Vault
from gateway.worker import open_host
from kernel.clock import SystemClock
from tests.fakes.desk import PASSWORD, PATIENCE_S, open_desk, settings_in
from tests.fakes.host import FakeHost
from tests.fakes.onecamera import described, one_camera, target_of
from tests.fakes.onvif_camera import onvif_camera
from tests.fakes.waiting import told, until

pytestmark = pytest.mark.timeout(240)
FACTORY = "simulated"


@dataclass
class Site:
    """A gateway with one camera, who is signed in there as an administrator, and the host of the camera."""

    gateway: Gateway
    device: SimulatedDevice
    host: FakeHost
    admin: httpx.AsyncClient
    camera: str

    @property
    def url(self) -> str:
        """Return where the camera's password is."""
        return f"/api/v1/cameras/{self.camera}/password"

    async def standing(self) -> dict[str, object]:
        """Return how its password stands."""
        answer: dict[str, object] = (await self.admin.get(self.url)).json()
        return answer

    def used(self) -> str:
        """Return the password by which the host comes to the camera now."""
        return self.host.assignments[self.camera].target.credentials.password.get_secret_value()

    async def audited(self) -> list[tuple[str, str]]:
        """Return what the audit has of the camera's password: of which camera, and how it ended."""
        await self.gateway.trail.settled()
        answer = await self.admin.get("/api/v1/audit", params={"action": "camera.password"})
        return [(one["subject"], one["outcome"]) for one in answer.json()["entries"]]


@pytest_asyncio.fixture
async def device() -> AsyncIterator[SimulatedDevice]:
    """Return a camera as it comes from the factory, over real ONVIF."""
    async with onvif_camera(SystemClock()) as camera:
        camera.device.password = FACTORY
        camera.device.other_accounts = {"service": "Operator"}
        yield camera.device


@asynccontextmanager
async def site_in(path: Path, device: SimulatedDevice) -> AsyncIterator[Site]:
    """Give a gateway whose camera is enrolled with the password of the factory."""
    host = FakeHost()
    host.found = described(device)
    async with open_desk(path, host=host) as desk:
        facts = {"address": f"{device.host}:{device.http_port}", "username": device.username, "password": FACTORY}
        yield Site(desk.gateway, device, host, desk.admin, await desk.enrol(**facts))


@pytest_asyncio.fixture
async def site(tmp_path: Path, device: SimulatedDevice) -> AsyncIterator[Site]:
    """Return one."""
    async with site_in(tmp_path, device) as site:
        yield site


async def test_a_camera_is_given_a_password_that_nobody_sees(site: Site, tmp_path: Path) -> None:
    """It takes it, its host uses it, and neither answer, audit nor database tell which; other accounts are named."""
    answer = await site.admin.post(site.url)
    assert answer.status_code == 200, answer.text
    made = site.device.password
    assert made != FACTORY
    assert site.used() == made
    assert answer.json()["other_accounts"] == [{"name": "service", "level": "Operator"}]
    assert answer.json()["in_clear"] is True
    assert (await site.standing()) == {"random_since": answer.json()["random_since"], "under_way": False}
    assert made not in answer.text
    assert await site.audited() == [(site.camera, "done")]
    found = await asyncio.to_thread(
        lambda: [file for file in tmp_path.rglob("*") if file.is_file() and made.encode() in file.read_bytes()]
    )
    assert found == []


async def test_a_link_that_breaks_before_the_camera_hears_leaves_the_old_one(site: Site) -> None:
    """Nothing is lost: the old one is used on, and a second try sends the password that was made."""
    site.device.faults.setuser_unheard = True
    answer = await site.admin.post(site.url)
    assert (answer.status_code, answer.json()["type"]) == (504, "fleet.password-unsure")
    assert (site.used(), site.device.password) == (FACTORY, FACTORY)
    assert (await site.standing())["under_way"] is True
    site.device.faults.setuser_unheard = site.device.faults.hang_up = False
    assert (await site.admin.post(site.url)).status_code == 200
    assert site.used() == site.device.password != FACTORY


async def test_a_link_that_breaks_after_the_camera_took_it_is_found_out(site: Site) -> None:
    """The camera has the new one and we do not know: as soon as it is back it is used, by itself."""
    site.device.faults.setuser_unanswered = True
    answer = await site.admin.post(site.url)
    assert answer.json()["type"] == "fleet.password-unsure"
    assert site.device.password != FACTORY
    assert site.used() == FACTORY
    site.device.faults.setuser_unanswered = site.device.faults.hang_up = False
    await told(site.standing, lambda one: one["under_way"] is False, timeout_s=60.0, what="it to be found out")
    assert site.used() == site.device.password


async def test_a_gateway_that_died_in_between_finds_out_when_it_starts(tmp_path: Path, device: SimulatedDevice) -> None:
    """The password that the camera took was stored before it heard of it."""
    async with site_in(tmp_path, device) as site:
        device.faults.setuser_unanswered = True
        await site.admin.post(site.url)
    device.faults.setuser_unanswered = device.faults.hang_up = False
    host = FakeHost()
    async with open_gateway(settings_in(tmp_path), clock=SystemClock(), open_host=host.open):
        await until(
            lambda: (
                site.camera in host.assignments
                and host.assignments[site.camera].target.credentials.password.get_secret_value() == device.password
            ),
            timeout_s=60.0,
            what="it to be found out",
        )
    assert device.password != FACTORY


async def test_a_camera_that_refuses_keeps_its_own(site: Site) -> None:
    """Its reason is told, and no password is on its way any more."""
    site.device.faults.setuser_refused = True
    answer = await site.admin.post(site.url)
    assert answer.json()["type"] == "camera.fault"
    assert "too weak" in answer.text
    assert await site.standing() == {"random_since": None, "under_way": False}
    assert site.used() == site.device.password == FACTORY
    assert await site.audited() == [(site.camera, "failed")]


async def test_a_camera_that_says_yes_and_takes_nothing_is_found_out(site: Site) -> None:
    """The old one is in force, and that is said."""
    site.device.faults.setuser_ignored = True
    answer = await site.admin.post(site.url)
    assert answer.json()["type"] == "fleet.password-not-taken"
    assert site.used() == site.device.password == FACTORY


async def test_another_device_at_the_address_is_told_nothing(site: Site) -> None:
    """Units come from the factory with one password: one that took another's would be locked."""
    site.host.met = site.host.found.identity.model_copy(update={"serial": "somebody else's"})
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


async def test_an_account_that_may_not_is_told_nothing(site: Site) -> None:
    """It is found out before a password is made: nothing is on its way."""
    site.device.password = "changed by hand"
    answer = await site.admin.post(site.url)
    assert answer.json()["type"] == "fleet.password-not-taken"
    assert (await site.standing())["under_way"] is False


async def test_enrolling_it_anew_with_a_typed_password_ends_what_was_under_way(site: Site) -> None:
    """Whoever has reset the camera by hand types its password: that one is tried, and it is the one in force."""
    site.device.faults.setuser_unheard = True
    await site.admin.post(site.url)
    site.device.faults.setuser_unheard = site.device.faults.hang_up = False
    body = {"address": f"{site.device.host}:{site.device.http_port}", "username": "sightline", "password": "by hand"}
    assert (await site.admin.post("/api/v1/cameras", json=body)).status_code == 200
    assert await site.standing() == {"random_since": None, "under_way": False}
    assert site.used() == "by hand"


async def test_who_moves_it_meanwhile_leaves_the_new_password(site: Site) -> None:
    """Asked at its new address who it is, it has another password by the time that it is known to be there."""
    fleet = site.gateway.rooms.fleet
    (camera,) = fleet.cameras()
    held = site.host.held_back["identify"] = asyncio.Event()
    there = Spot(host="192.0.2.9", http_port=80, rtsp_port=554)
    async with asyncio.TaskGroup() as group:
        moving = group.create_task(fleet.repoint(camera.device_id, there))
        await until(lambda: "POST /identify" in site.host.asked, what="it to be asked who it is")
        assert (await site.admin.post(site.url)).status_code == 200
        held.set()
        assert await moving
    assert site.host.assignments[site.camera].target.address.startswith("http://192.0.2.9/")
    assert site.used() == site.device.password != FACTORY


class Turn(asyncio.Lock):
    """A device's turn that tells whether somebody waits for it."""

    waiting = False

    async def acquire(self) -> Literal[True]:
        """See ``asyncio.Lock``."""
        self.waiting = self.locked()
        return await super().acquire()


async def tried(site: Site, group: asyncio.TaskGroup) -> tuple[asyncio.Task[httpx.Response], asyncio.Event]:
    """Return an enrolment by the factory's password once that was tried, and taken, and what lets it go on."""
    site.host.takes = lambda: site.device.password
    held = site.host.held_back["probe"] = asyncio.Event()
    asked = len(site.host.asked)
    body = {"address": f"{site.device.host}:{site.device.http_port}", "username": "sightline", "password": FACTORY}
    enrolling = group.create_task(site.admin.post("/api/v1/cameras", json=body))
    await until(lambda: "POST /probe" in site.host.asked[asked:], what="the typed one to be tried")
    return enrolling, held


async def test_who_enrols_it_meanwhile_stores_no_password_that_it_takes_no_more(site: Site) -> None:
    """The typed one was right when it was tried, and is told to be wrong when it would be stored."""
    async with asyncio.TaskGroup() as group:
        enrolling, held = await tried(site, group)
        assert (await site.admin.post(site.url)).status_code == 200
        held.set()
    assert enrolling.result().json()["type"] == "camera.authentication"
    assert site.used() == site.device.password != FACTORY
    assert (await site.standing())["random_since"] is not None


async def test_who_enrols_it_waits_until_its_password_is_given(site: Site) -> None:
    """What is under way is not forgotten between the camera's having it and our seeing that it takes it."""
    turn = site.gateway.rooms.fleet.turns[site.host.found.identity.urn] = Turn()
    async with asyncio.TaskGroup() as group:
        enrolling, held = await tried(site, group)
        answered = site.host.held_back["password"] = asyncio.Event()
        renewing = group.create_task(site.admin.post(site.url))
        await until(lambda: site.device.password != FACTORY, what="the camera to have it")
        held.set()
        await until(lambda: turn.waiting or enrolling.done(), what="who enrols it to wait")
        answered.set()
    assert enrolling.result().json()["type"] == "camera.authentication"
    assert renewing.result().status_code == 200
    assert site.used() == site.device.password != FACTORY


async def test_pictures_go_on_by_the_new_password(tmp_path: Path) -> None:
    """With a host that has a real stream: it is live again by what the camera takes now."""
    clock = SystemClock()
    async with one_camera(clock) as device:
        settings = settings_in(tmp_path).model_copy(update={"cameras": CameraSettings(allow_loopback=True)})
        await asyncio.to_thread(prepare_data_dir, tmp_path)
        vault = await asyncio.to_thread(Vault.of, key_file(settings))
        async with open_database(database_url(settings)) as database:
            register = Register(database, clock=clock, vault=vault)
            (camera,), _ = await register.store(target_of(device), described(device), CameraFacts(), host=0)
        async with open_gateway(settings, clock=clock, open_host=open_host) as gateway:
            await _live(gateway)
            done = await gateway.rooms.passwords.renew(camera.device_id)
            assert device.password != FACTORY
            await _live(gateway, since_ns=done.changed_ns)


async def _live(gateway: Gateway, since_ns: int = 0) -> None:
    """Wait for a picture that is newer."""
    (camera,) = gateway.fleet.cameras()
    await until(
        lambda: (
            (state := gateway.fleet.state(camera.id)) is not None
            and state.live is rpc.LiveState.LIVE
            and (state.last_frame_ns or 0) > since_ns
        ),
        timeout_s=120.0,
        what="its pictures",
    )


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
