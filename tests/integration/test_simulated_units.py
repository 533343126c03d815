"""Deployable units call in at a real broker, as their firmware would."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Literal

import pytest

from drivers.simulator.town.town import Town
from drivers.simulator.units.broker import Broker
from drivers.simulator.units.client import UnitClient, open_client
from drivers.simulator.units.faults import UnitFaults
from drivers.simulator.units.movement import Post
from drivers.simulator.units.radio import Air
from drivers.simulator.units.telling import Outbox
from drivers.simulator.units.unit import Power, Unit
from tests.fakes.clock import ManualClock
from tests.fakes.mosquitto import Mosquitto
from tests.fakes.units_broker import Watcher, units_broker, until_passing, watching

POST = Post(at=(53.0, -16.0), height_m=6.0, bearing_deg=184.0, street="Station Road")


class Stage:
    """One unit, a broker, and one who watches."""

    def __init__(self, clock: ManualClock, broker: Mosquitto, watcher: Watcher, folder: Path) -> None:
        self.clock = clock
        self.broker = broker
        self.watcher = watcher
        self.unit: Unit
        self.client: UnitClient
        self._folder = folder
        self._stack = AsyncExitStack()

    async def call_in(
        self, *faults: str, protocol: Literal["5", "3.1.1"] = "5", keepalive_s: int = 30, outbox: int = 256
    ) -> None:
        """Switch the unit on and wait until it is heard."""
        air = Air(Town(seed=1, clock=self.clock))
        turned = UnitFaults.from_names(list(faults))
        self.unit = Unit(3, seed=1, air=air, clock=self.clock, post=POST, faults=turned)
        broker = Broker(url=self.broker.url, certificates=self._folder, protocol=protocol, keepalive_s=keepalive_s)
        opened = open_client(self.unit, broker, clock=self.clock, outbox=Outbox(outbox))
        self.client = await self._stack.enter_async_context(opened)
        await self.until(lambda: self.watcher.of("D003/online"), "the birth")

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Let time pass until something is so."""

        async def second() -> None:
            # Its last seconds are as long as the network needs: turned time is faster than the broker.
            leaving = self.unit.power is Power.CLOSING and self.watcher.last("D003/online").get("online")
            await self.clock.turn(0.0 if leaving else 1.0)
            self.unit.step()
            self.client.tick()

        await until_passing(condition, second, what=what)

    async def close(self) -> None:
        """Pull its plug."""
        await self._stack.aclose()


@pytest.fixture
async def stage(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Stage]:
    """Return a broker with its watcher; the unit is not switched on yet."""
    async with units_broker(tmp_path, "D003") as broker, watching(broker, tmp_path) as watcher:
        stage = Stage(clock, broker, watcher, tmp_path)
        try:
            yield stage
        finally:
            await stage.close()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_birth_and_states(stage: Stage, protocol: Literal["5", "3.1.1"]) -> None:
    """It says that it is there and tells all twelve states, retained, in rising numbers of one boot, with its time."""
    await stage.call_in(protocol=protocol)
    heard = stage.watcher.heard
    await stage.until(lambda: len({one.topic for one in heard}) == 13, "every state")
    assert heard[0].topic == "D003/online"
    assert heard[0].body.items() >= {"online": True, "firmware": "4.2.1", "seq": 1}.items()
    assert [one.body["seq"] for one in heard] == list(range(1, len(heard) + 1))
    assert {one.body["boot"] for one in heard} == {stage.unit.boot}
    assert all(one.body["time"].endswith("Z") for one in heard)
    assert all(len(one.payload) <= 4096 for one in heard)
    async with watching(stage.broker, stage.broker.ca.parent) as late:
        await stage.until(lambda: len(late.heard) >= 13, "what was retained")
        assert all(one.retain for one in late.heard)


async def test_what_happens_is_not_kept(stage: Stage) -> None:
    """A knock is told with its strength, and not retained."""
    await stage.call_in()
    stage.unit.faults.knocked = True
    await stage.until(lambda: stage.watcher.of("D003/event/shock"), "the shock")
    assert stage.watcher.last("D003/event/shock")["peak_g"] >= 3.0
    async with watching(stage.broker, stage.broker.ca.parent) as late:
        await stage.until(lambda: any(one.topic == "D003/state/tilt" for one in late.heard), "what was retained")
        assert not late.of("D003/event/shock")


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_link_lost_in_silence(stage: Stage, protocol: Literal["5", "3.1.1"]) -> None:
    """Nothing comes and nobody says so: the broker tells the last will when the keepalive has run out."""
    await stage.call_in(protocol=protocol, keepalive_s=2)
    stage.unit.faults.lost_link = True
    await stage.until(lambda: stage.watcher.last("D003/online") == {"online": False}, "the last will")
    before = len(stage.watcher.heard)
    stage.unit.faults.knocked = True
    await stage.until(lambda: len(stage.client.outbox) > 0, "something that waits")
    assert len(stage.watcher.heard) == before
    stage.unit.faults.lost_link = False
    await stage.until(lambda: stage.watcher.of("D003/event/shock"), "what happened meanwhile")
    assert stage.watcher.last("D003/online")["online"] is True
    assert stage.client.connections >= 2


async def test_a_link_that_is_cut(stage: Stage) -> None:
    """A reset connection gives the last will at once; the unit is back when the link is."""
    await stage.call_in()
    stage.unit.faults.cut_link = True
    await stage.until(lambda: stage.watcher.last("D003/online") == {"online": False}, "the last will")
    stage.unit.faults.cut_link = False
    await stage.until(lambda: stage.watcher.last("D003/online").get("online"), "the next birth")


async def test_nothing_is_lost_over_a_restart(stage: Stage) -> None:
    """What happens while the broker is down is told once it is up again, in order and with rising numbers."""
    await stage.call_in()
    await stage.until(lambda: len({one.topic for one in stage.watcher.heard}) == 13, "every state")
    await stage.broker.stop()
    stage.unit.faults.knocked = True
    await stage.until(lambda: len(stage.client.outbox) > 0, "something that waits")
    stage.unit.faults.case_open = True
    # Events are not retained: it calls in no sooner than somebody listens.
    stage.unit.faults.cut_link = True
    stage.unit.step()
    stage.client.tick()
    await stage.broker.start()
    async with watching(stage.broker, stage.broker.ca.parent) as watcher:
        stage.unit.faults.cut_link = False
        await stage.until(lambda: watcher.of("D003/event/tamper"), "both")
        fresh = [one for one in watcher.heard if not one.retain]
        kinds = [one.topic for one in fresh if "/event/" in one.topic]
        assert kinds == ["D003/event/shock", "D003/event/tamper"]
        assert [one.body["seq"] for one in fresh if "seq" in one.body] == sorted(
            one.body["seq"] for one in fresh if "seq" in one.body
        )


async def test_the_outbox_is_bounded(stage: Stage) -> None:
    """A link that is away for long costs no memory: the outbox keeps its limit and counts what it dropped."""
    await stage.call_in("cut_link=off", outbox=8)
    stage.unit.faults.cut_link = True

    def knock() -> bool:
        stage.unit.faults.knocked = not stage.unit.faults.knocked
        return stage.client.outbox.dropped > 20

    await stage.until(knock, "more than there is room for")
    assert len(stage.client.outbox) <= 9


async def test_a_new_address(stage: Stage) -> None:
    """With another attach it calls in anew and tells where it can be reached now; it is the same unit."""
    await stage.call_in()
    await stage.until(lambda: stage.watcher.of("D003/state/address"), "its address")
    first = stage.watcher.last("D003/state/address")
    stage.unit.faults.new_address_s = 30.0
    await stage.until(lambda: stage.watcher.last("D003/state/address")["host"] != first["host"], "another address")
    now = stage.watcher.last("D003/state/address")
    assert (now["urn"], now["serial"]) == (first["urn"], first["serial"])
    await stage.until(lambda: stage.watcher.last("D003/online").get("online"), "its birth after the old will")
    assert stage.client.connections >= 2


async def test_a_reboot_by_command(stage: Stage) -> None:
    """Told to reboot it answers, says goodbye and is away; it is born again with another boot, counting anew."""
    await stage.call_in()
    first = stage.unit.boot
    await stage.watcher.command("D003", "reboot", id="a1")
    await stage.until(lambda: stage.watcher.last("D003/online").get("boot") not in {None, first}, "the next birth")
    topics = [one.topic for one in stage.watcher.heard]
    assert stage.watcher.last("D003/answer/reboot").items() >= {"id": "a1", "ok": True}.items()
    assert "D003/event/shutdown" in topics
    assert {"online": False} in [one.body for one in stage.watcher.of("D003/online")]
    assert stage.watcher.last("D003/online")["seq"] == 1


async def test_other_commands(stage: Stage) -> None:
    """Locate tells the position; stream and data budget are taken or refused; what is unknown is refused."""
    await stage.call_in()
    await stage.until(lambda: stage.watcher.of("D003/state/position"), "a position")
    known = len(stage.watcher.of("D003/state/position"))
    for name, body in (
        ("locate", {}),
        ("stream", {"stream": "sub"}),
        ("data-budget", {"budget_bytes": 1}),
        ("data-budget", {"budget_bytes": -1}),
        ("dance", {}),
    ):
        await stage.watcher.command("D003", name, id=f"{name} {body}", **body)

    def answers() -> dict[str, object]:
        return {
            one.body["id"]: one.body.get("error") for one in stage.watcher.heard if one.topic.startswith("D003/answer/")
        }

    await stage.until(lambda: len(answers()) == 5, "five answers")
    assert answers() == {
        "locate {}": None,
        "stream {'stream': 'sub'}": None,
        "data-budget {'budget_bytes': 1}": None,
        "data-budget {'budget_bytes': -1}": "malformed",
        "dance {}": "unknown-command",
    }
    await stage.until(lambda: len(stage.watcher.of("D003/state/position")) > known, "the position")
    assert stage.unit.thin
    await stage.watcher.command("D003", "stream", id="main", stream="main")
    await stage.until(lambda: "main" in answers(), "the refusal")
    assert answers()["main"] == "over-budget"


async def test_kept_commands_are_not_obeyed(stage: Stage) -> None:
    """A command that somebody had retained is old, and not obeyed when the unit calls in."""
    await stage.watcher.command("D003", "stream", id="old", stream="sub", retain=True)
    await stage.call_in()
    await stage.watcher.command("D003", "locate", id="new")
    await stage.until(lambda: stage.watcher.of("D003/answer/locate"), "the newer command's answer")
    assert not stage.watcher.of("D003/answer/stream")
    assert not stage.unit.thin


async def test_a_flat_battery(stage: Stage) -> None:
    """It warns, says goodbye, and says itself that it is gone."""
    await stage.call_in()
    stage.unit.faults.flat_battery = True
    await stage.until(lambda: stage.unit.power is Power.OFF, "the end")
    await stage.until(lambda: stage.watcher.last("D003/online") == {"online": False}, "the goodbye")
    events = [one.topic for one in stage.watcher.heard if "/event/" in one.topic]
    assert events == ["D003/event/low_battery", "D003/event/shutdown"]


async def test_what_is_sent_is_counted(stage: Stage) -> None:
    """Its modem counts what goes out, TLS and all, and the unit tells it."""
    await stage.call_in()
    await stage.until(lambda: len({one.topic for one in stage.watcher.heard}) == 13, "every state")
    assert stage.unit.sent_bytes > sum(len(one.payload) for one in stage.watcher.heard)


async def test_in_another_units_name(stage: Stage) -> None:
    """What it says under another unit's topics the broker lets nobody hear, and the unit is none the wiser."""
    await stage.call_in("wrong_unit=4")
    await stage.until(lambda: stage.client.outbox.take() is None, "everything sent")
    assert {one.topic for one in stage.watcher.heard} == {"D003/online"}


@pytest.mark.parametrize("knob", ["malformed", "oversized", "replayed", "out_of_order"])
async def test_mischief_on_the_wire(stage: Stage, knob: str) -> None:
    """Each way of saying things wrongly reaches the broker as that."""
    await stage.call_in(knob)
    await stage.until(lambda: len(stage.watcher.of("D003/state/battery")) >= 2, "two of a kind")
    first, second = stage.watcher.of("D003/state/battery")[:2]
    if knob == "malformed":
        assert not first.payload.endswith(b"}")
    elif knob == "oversized":
        assert len(first.payload) > 4096
    elif knob == "replayed":
        assert first.payload == second.payload
    else:
        assert first.body["seq"] > second.body["seq"]
