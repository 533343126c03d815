"""Views that end at their host by themselves: at the end of a right, and where no gateway is heard any more."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from structlog.testing import capture_logs

from config.live import LiveSettings
from gateway.fleet.rpc import ViewerWent
from gateway.live import LiveFeed, LiveHub, ViewerFacts, open_live
from gateway.live.endings import LEASE_S, LOOK_S
from kernel.clock import NS_PER_S
from kernel.ids import CameraId, StreamName
from tests.fakes.clock import ManualClock
from tests.fakes.pattern import PatternCamera
from tests.fakes.rtsps import open_door
from tests.fakes.waiting import until
from tests.unit.live.test_offer import CHROMIUM

CAMERA = CameraId("0" * 32)
SETTINGS = LiveSettings.model_validate(
    {"loopback": True, "addresses": ["127.0.0.1"], "port": 0, "connect_timeout_s": 600}
)


class Stage:
    """A hub with one live camera on a clock that stands, and whose ends it told."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.camera = PatternCamera(clock, width=320, height=180, frame_rate=25, gop_frames=1)
        self.feed: LiveFeed
        self.went: list[ViewerWent] = []
        self.hub: LiveHub

    async def watch(self, who: str, *, outside: bool = False, for_s: float | None = None) -> str:
        """Open a view, for so long where that is given, and return its session."""
        self.feed.video(self.camera.unit())
        until_ns = None if for_s is None else self.clock.wall_ns() + round(for_s * NS_PER_S)
        viewer = ViewerFacts(who=who, address="127.0.0.1", outside=outside, until_ns=until_ns)
        return (await self.hub.offer(CAMERA, StreamName.MAIN, CHROMIUM, viewer=viewer)).id

    def who(self) -> set[str]:
        """Return who watches."""
        return {viewer.who for viewer in self.hub.viewers()}

    async def left(self, *who: str) -> None:
        """Wait until these are all who watch."""
        await until(lambda: self.who() == set(who), what=f"only {who} to watch")


@pytest_asyncio.fixture
async def stage(clock: ManualClock) -> AsyncIterator[Stage]:
    """Give a stage."""
    stage = Stage(clock)
    async with open_live(SETTINGS, clock=clock, gone=stage.went.append) as stage.hub:
        with stage.hub.feed(CAMERA, StreamName.MAIN, request_keyframe=stage.camera.request_keyframe) as stage.feed:
            stage.feed.started(stage.camera.description)
            yield stage


async def test_a_view_ends_with_its_right_though_no_gateway_says_so(stage: Stage) -> None:
    """At the instant that came with the offer, and not before; a lasting right has none."""
    await stage.watch("pc", for_s=20)
    await stage.watch("ann")
    await stage.clock.turn(20 - LOOK_S)
    assert stage.who() == {"pc", "ann"}
    await stage.clock.turn(LOOK_S)
    await stage.left("ann")
    assert [(one.viewer.who, one.reason) for one in stage.went] == [("pc", "its time is over")]


async def test_a_clock_that_is_set_ends_what_is_over_by_the_new_time(stage: Stage) -> None:
    """Ends are instants on the wall clock, not spans of time."""
    await stage.watch("pc", for_s=3600)
    stage.clock.jump_wall(3601)
    await stage.clock.turn(LOOK_S)
    await stage.left()


async def test_a_view_is_given_another_end(stage: Stage) -> None:
    """Later, sooner, none at all, or over already: then it has ended when the host answers."""
    sessions = {who: await stage.watch(who, for_s=10) for who in ("longer", "shorter", "lasting", "over")}
    now_ns = stage.clock.wall_ns()
    stage.hub.endings.limit(
        {
            sessions["longer"]: now_ns + 30 * NS_PER_S,
            sessions["shorter"]: now_ns + 5 * NS_PER_S,
            sessions["lasting"]: None,
            sessions["over"]: now_ns,
            "gone": None,
        }
    )
    await stage.left("longer", "shorter", "lasting")
    await stage.clock.turn(5)
    await stage.left("longer", "lasting")
    told = {viewer.who: viewer.until_ns for viewer in stage.hub.viewers()}
    assert told == {"longer": now_ns + 30 * NS_PER_S, "lasting": None}
    await stage.clock.turn(24)
    assert stage.who() == {"longer", "lasting"}
    await stage.clock.turn(1)
    await stage.left("lasting")


async def test_who_is_outside_watches_only_while_a_gateway_is_heard(stage: Stage) -> None:
    """A restart of the gateway cuts nobody; when it stays away partners are cut, and people of the room see on."""
    stage.hub.endings.heard()
    await stage.watch("pc", outside=True)
    await stage.watch("ann")
    await stage.clock.turn(LEASE_S - LOOK_S)
    stage.hub.endings.heard()
    await stage.clock.turn(LEASE_S - LOOK_S)
    assert stage.who() == {"pc", "ann"}
    await stage.clock.turn(LOOK_S)
    await stage.left("ann")
    assert [(one.viewer.who, one.reason) for one in stage.went] == [("pc", "no gateway was there to end it")]
    stage.hub.endings.heard()
    await stage.watch("pc", outside=True)
    await stage.clock.turn(LEASE_S / 2)
    assert stage.who() == {"pc", "ann"}


async def test_the_log_says_that_partners_were_cut(stage: Stage) -> None:
    """Once, with how many, and that a gateway is back: not with every look."""
    with capture_logs() as logs:
        stage.hub.endings.heard()
        await stage.watch("pc", outside=True)
        await stage.clock.turn(LEASE_S + 5)
        stage.hub.endings.heard()
    told = [(one["event"], one.get("ended")) for one in logs if one["event"].startswith("live.lease")]
    assert told == [("live.lease_over", 1), ("live.lease_renewed", None)]


async def test_systems_outside_are_on_the_same_lease(tmp_path: Path, clock: ManualClock) -> None:
    """A player over RTSPS is cut with the browsers, and nobody is let in (503) before a gateway is back."""
    camera = PatternCamera(clock, width=320, height=180, gop_frames=5)
    async with open_door(tmp_path, clock=clock, session_timeout_s=600, connect_timeout_s=600) as door:
        feed = door.feeds[StreamName.MAIN]
        feed.started(camera.description)
        feed.video(camera.unit())
        door.hub.endings.heard()
        door.put()
        async with door.client() as client:
            await client.play()
            await clock.turn(LEASE_S - LOOK_S)
            assert len(door.hub.viewers()) == 1
            await clock.turn(LOOK_S)
            await client.ended()
            assert door.hub.viewers() == []
        async with door.client() as client:
            assert (await client.ask("DESCRIBE")).status == 503
            door.hub.endings.heard()
            feed.video(camera.unit())
            assert (await client.ask("DESCRIBE")).status == 200
