"""A unit's camera is looked for where the unit says: as long as people believe it, and where units may be."""

import ipaddress
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest_asyncio

from config.telemetry import ReachRule, TelemetrySettings
from gateway.audit.trail import Trail
from gateway.belonging import Belonging
from gateway.fleet.changes import Announced, FleetChange
from gateway.fleet.errors import AnotherDeviceError
from gateway.fleet.pointing import Spot
from gateway.fleet.rpc import LiveState
from gateway.fleet.service import Fleet
from gateway.repointing import HEED_EVERY_S, HINT_NS, SAID_NS, open_repointing
from gateway.units import Cause, Units
from kernel.clock import NS_PER_S
from tests.fakes.clock import ManualClock, settle
from tests.fakes.descriptions import description
from tests.fakes.unit_voice import VALUES, Voice, enrolled, unit_room

URN, SERIAL = "urn:uuid:d017", "SN-17"
RULES = (
    ReachRule(network="10.64.0.0/16", via="10.8.0.0/16"),
    ReachRule(units=("D018",), via="unit.example"),
    ReachRule(units=("D017",), network="203.0.113.0/24", ports={80: 8017}),
)


class Cameras:
    """A fleet of one camera, which is D017's. ``answers``: the right one does, wherever it is looked for."""

    def __init__(self) -> None:
        self.answers = True
        self.live = LiveState.LIVE
        self.met: list[str] = []
        """Hosts at which it was looked for."""
        self.at = ""
        self.deserted: list[str] = []
        self._listener: Callable[[FleetChange], None] = lambda _: None
        known = description(URN)
        known = known.model_copy(update={"identity": known.identity.model_copy(update={"serial": SERIAL})})
        self.camera = SimpleNamespace(id="c", device_id="device", description=known, view=known.views[0])

    def listen(self, listener: Callable[[FleetChange], None]) -> Callable[[], None]:
        """See ``Fleet``."""
        self._listener = listener
        return lambda: None

    def says_hello(self, *addresses: str, urn: str = URN) -> None:
        """Have a host hear a Hello."""
        self._listener(Announced(urn, addresses))

    def state(self, _: str) -> Any:
        """See ``Fleet``."""
        return SimpleNamespace(live=self.live)

    async def repoint(self, _: str, spot: Spot) -> bool:
        """See ``Fleet``."""
        self.met.append(spot.host)
        if not self.answers:
            raise AnotherDeviceError("Somebody else answers.", cure="Look.")
        self.at = spot.host
        return True

    async def desert(self, device_id: str) -> bool:
        """See ``Fleet``."""
        self.deserted.append(device_id)
        return True

    # --- whose it is

    def cameras(self, label: str) -> list[Any]:
        """See ``Belonging``."""
        return [self.camera] if label == "D017" else []

    def of_device(self, device_id: str | None) -> list[Any]:
        """See ``Belonging``."""
        return [self.camera] if device_id == self.camera.device_id else []

    def said_so(self, label: str, urn: str) -> list[Any]:
        """See ``Belonging``."""
        return self.cameras(label) if urn == URN else []

    def strangers(self, _: str) -> bool:
        """See ``Belonging``."""
        return False


class Stage:
    """Units that are followed, and a camera."""

    def __init__(self, units: Units, voice: Voice, cameras: Cameras, clock: ManualClock) -> None:
        self.units, self.voice, self.cameras, self.clock = units, voice, cameras, clock

    async def was_at(self, host: str) -> None:
        """Have the unit have said an address a while ago."""
        await self.is_at(host)
        await self.clock.turn(SAID_NS / NS_PER_S)
        self.cameras.met.clear()

    async def is_at(self, host: str) -> None:
        """Have the unit say an address."""
        await self.units.register.take("D017", self.voice.report("address", **{**VALUES["address"], "host": host}))
        await settle()

    def refused(self) -> Sequence[tuple[Cause, int]]:
        """Return what was, with how often."""
        return [(one.cause, one.count) for one in self.units.refusals.of("D017")]


@pytest_asyncio.fixture
async def stage(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Stage]:
    """Return it, with the unit enrolled; rules lead elsewhere, and units are in 10/8 and at 203.0.113.x."""
    cameras = Cameras()
    async with AsyncExitStack() as stack:
        units = await stack.enter_async_context(unit_room(tmp_path, clock))
        voice = await enrolled(units)
        await stack.enter_async_context(
            open_repointing(
                units,
                cast("Fleet", cameras),
                cast("Belonging", cameras),
                cast("Trail", SimpleNamespace(note=lambda _: None, note_again=lambda *_: None)),
                rules=RULES,
                networks=[ipaddress.ip_network(one) for one in ("10.0.0.0/8", "203.0.113.0/24")],
                clock=clock,
            )
        )
        yield Stage(units, voice, cameras, clock)


async def test_a_unit_is_followed_where_units_are(stage: Stage) -> None:
    """As it says, or as the rules turn it: through a VPN, or at forwarded ports."""
    for host in ("10.9.0.17", "10.64.3.4", "203.0.113.9"):
        await stage.is_at(host)
    assert stage.cameras.met == ["10.9.0.17", "10.8.3.4", "203.0.113.9"]
    assert stage.refused() == []


async def test_nobody_looks_outside_the_networks(stage: Stage) -> None:
    """An address of the house, of the world, or IPv4 in IPv6's clothes: refused and counted, and nothing is sent."""
    for host in ("192.168.1.1", "198.51.100.66", "127.0.0.1", "::ffff:10.9.0.17", "169.254.169.254"):
        await stage.is_at(host)
    await stage.clock.turn(120)
    assert stage.cameras.met == []
    assert stage.refused() == [(Cause.OFF_NETWORK, 5)]


def test_where_units_are_unless_somebody_says() -> None:
    """The networks that are named; else those of the rules; else private ones. Loopback only where cameras may be."""

    def networks(settings: TelemetrySettings, *, loopback: bool = False) -> list[str]:
        return [str(one) for one in settings.unit_networks(loopback=loopback)]

    named = TelemetrySettings(networks=("10.1.0.0/16",), reach=RULES)
    assert networks(named) == ["10.1.0.0/16"]
    assert networks(TelemetrySettings(reach=RULES)) == ["10.64.0.0/16", "203.0.113.0/24"]
    private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"]
    assert networks(TelemetrySettings(reach=RULES[1:2])) == private
    assert networks(TelemetrySettings(), loopback=True) == [*private, "127.0.0.0/8", "::1/128"]


# --- whom people do not believe any more


async def test_a_retired_unit_is_followed_no_further(stage: Stage) -> None:
    """What was being tried ends, and its camera is left where nobody but the unit said that it is."""
    stage.cameras.answers = False
    await stage.is_at("10.9.0.66")
    await stage.clock.turn(5)
    await stage.units.register.retire("D017")
    await settle()
    tries = len(stage.cameras.met)
    assert tries > 1
    stage.cameras.answers = True
    await stage.clock.turn(300)
    assert (len(stage.cameras.met), stage.cameras.at) == (tries, "")
    assert "device" in stage.cameras.deserted


async def test_a_unit_whose_last_certificate_is_revoked_is_followed_no_further(stage: Stage) -> None:
    """As long as another one is good it is followed; with none it is left, and its Hello is nothing either."""
    stage.cameras.answers = False
    await stage.is_at("10.9.0.66")
    (first,) = stage.units.credentials.of("D017")
    await stage.units.credentials.issue("D017")
    await stage.units.credentials.revoke("D017", [first.serial])
    await settle()
    assert stage.cameras.deserted == []
    tries = len(stage.cameras.met)
    await stage.clock.turn(5)
    assert len(stage.cameras.met) > tries
    await stage.units.credentials.revoke("D017")
    await settle()
    assert stage.cameras.deserted == ["device"]
    tries, stage.cameras.answers, stage.cameras.live = len(stage.cameras.met), True, LiveState.OFF
    stage.cameras.says_hello("http://10.9.0.66/onvif/device_service")
    await stage.clock.turn(300)
    assert len(stage.cameras.met) == tries


async def test_a_unit_is_ended_though_an_older_certificate_ran_out_by_itself(stage: Stage) -> None:
    """Its last one is revoked as the unit is lost: its camera is left where nobody but the unit said that it is."""
    await stage.is_at("10.9.0.66")
    stage.clock.jump_wall(300 * 86_400)
    await stage.units.credentials.issue("D017")
    stage.clock.jump_wall(300 * 86_400)
    _, newer = stage.units.credentials.of("D017")
    await stage.units.credentials.revoke("D017", [newer.serial])
    await settle()
    assert stage.cameras.deserted == ["device"]


async def test_a_certificate_that_has_run_out_leaves_the_camera_where_it_is(stage: Stage) -> None:
    """That is our own omission: the unit is followed no further, and nothing is taken off.

    One that was revoked before, as a newer one had come, changes nothing of that.
    """
    await stage.is_at("10.9.0.17")
    (older,) = stage.units.credentials.of("D017")
    stage.clock.jump_wall(86_400)
    await stage.units.credentials.issue("D017")
    await stage.units.credentials.revoke("D017", [older.serial])
    await settle()
    stage.cameras.met.clear()
    stage.clock.jump_wall(800 * 86_400)
    await stage.units.register.change("D017", budget_bytes=1)
    await settle()
    assert (stage.cameras.met, stage.cameras.deserted) == ([], [])


# --- what anybody on the network may say


async def test_a_hello_counts_once_the_camera_is_not_live(stage: Stage) -> None:
    """Spoken by multicast it moves no camera that works; one that was lost is looked for there, once."""
    await stage.was_at("10.9.0.17")
    stage.cameras.says_hello("http://10.9.0.18:8080/onvif/device_service")
    await stage.clock.turn(10)
    assert stage.cameras.met == []
    stage.cameras.live = LiveState.RETRYING
    await stage.clock.turn(10)
    assert stage.cameras.met == ["10.9.0.18"]


async def test_a_hello_waits_for_what_the_unit_said_itself(stage: Stage) -> None:
    """What came by its certificate is tried alone for a while, and goes on beside; what it says later ends that."""
    stage.cameras.answers, stage.cameras.live = False, LiveState.OFF
    await stage.is_at("10.9.0.17")
    stage.cameras.says_hello("http://10.9.0.66/onvif/device_service")
    await stage.clock.turn(SAID_NS / NS_PER_S - 5)
    assert set(stage.cameras.met) == {"10.9.0.17"}
    await stage.clock.turn(10)
    assert set(stage.cameras.met) == {"10.9.0.17", "10.9.0.66"}
    await stage.is_at("10.9.0.19")
    stage.cameras.met.clear()
    await stage.clock.turn(HINT_NS / NS_PER_S)
    assert set(stage.cameras.met) == {"10.9.0.19"}


async def test_many_hellos_cost_little(stage: Stage) -> None:
    """However many come, one is tried at a time, the newest, and not for ever."""
    await stage.was_at("10.9.0.17")
    stage.cameras.answers, stage.cameras.live = False, LiveState.OFF
    for count in range(200):
        stage.cameras.says_hello(f"http://10.9.1.{count}/onvif/device_service")
    await stage.clock.turn(10 * HEED_EVERY_S)
    assert set(stage.cameras.met) == {"10.9.1.199"}
    assert len(stage.cameras.met) <= 11
    await stage.clock.turn(HINT_NS / NS_PER_S)
    stage.cameras.met.clear()
    await stage.clock.turn(HINT_NS / NS_PER_S)
    assert stage.cameras.met == []


async def test_a_hello_of_nonsense_is_nothing(stage: Stage) -> None:
    """No address, a name, a port that is none: nobody is asked, and nobody fails."""
    await stage.was_at("10.9.0.17")
    stage.cameras.live = LiveState.OFF
    for addresses in ((), ("http://[::::]/",), ("http://evil.example/",), ("http://10.0.0.5:99999/",), ("http:///x",)):
        stage.cameras.says_hello(*addresses)
    stage.cameras.says_hello("http://10.9.0.18/", urn="urn:uuid:other")
    await stage.clock.turn(10)
    assert stage.cameras.met == []
    stage.cameras.says_hello("http://198.51.100.1/")
    await stage.clock.turn(10)
    assert (stage.cameras.met, stage.refused()) == ([], [(Cause.OFF_NETWORK, 1)])
