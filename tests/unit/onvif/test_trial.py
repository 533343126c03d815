"""The trial of heads that lack something, on the simulated mechanics without a camera around them."""

from dataclasses import dataclass, field, replace

import pytest

from drivers.errors import CameraError, CameraFaultError, CameraUnreachableError
from drivers.onvif.nodes import Claim
from drivers.onvif.quirks import Quirks
from drivers.onvif.trial import HeadTrial
from drivers.simulator.device import Mount
from drivers.simulator.head import Head
from kernel.clock import NS_PER_S, Clock
from kernel.geography import Place
from kernel.head import Axis, HeadAbilities, HeadStatus, Position, Velocity
from tests.fakes.hasty import HastyClock

ALL = frozenset({Axis.PAN, Axis.TILT, Axis.ZOOM})
CLAIMS = HeadAbilities(axes=ALL, absolute=True, relative=True)


class SteppedClock:
    """Satisfies ``kernel.clock.Clock``: whoever sleeps is at once where they wanted to be."""

    def __init__(self) -> None:
        self._now_ns = 1_790_000_000 * NS_PER_S

    def wall_ns(self) -> int:
        """Return the time."""
        return self._now_ns

    def monotonic_ns(self) -> int:
        """Return the same."""
        return self._now_ns

    async def sleep(self, duration_s: float) -> None:
        """Let so much time go by."""
        self._now_ns += round(duration_s * NS_PER_S)

    async def sleep_until(self, deadline_ns: int) -> None:
        """Let time go by until then."""
        self._now_ns = max(self._now_ns, deadline_ns)


@dataclass
class BareHead:
    """A head as the driver offers it, straight on the mechanics, with knobs."""

    clock: Clock
    mechanics: Head = field(init=False)
    abilities: HeadAbilities = CLAIMS
    tells_position: bool = True
    turns: bool = True
    refuses_moves: bool = False
    status_faults: bool = False
    dies_at: str = ""
    speed_fault: bool = False
    """A turning head's status breaks off once, in the middle of a move."""
    line_s: float = 0.0
    """How long a question takes to get there; its answer takes as long."""
    deaf: bool = False
    """It takes Stop and turns on."""

    def __post_init__(self) -> None:
        mount = Mount(place=Place(51.5, -0.1, 8.0), bearing_deg=0.0)
        self.mechanics = Head(mount, self.clock)

    def _may(self, what: str) -> None:
        if self.dies_at == what:
            raise CameraUnreachableError("Gone.")

    async def move(self, velocity: Velocity, *, timeout_s: float) -> None:
        """Turn."""
        self._may("move")
        if self.refuses_moves:
            raise CameraFaultError("No.")
        await self.clock.sleep(self.line_s)
        if self.turns:
            self.mechanics.drive(velocity, timeout_s=timeout_s)
        await self.clock.sleep(self.line_s)

    async def stop(self) -> None:
        """Brake."""
        self._may("stop")
        await self.clock.sleep(self.line_s)
        if not self.deaf:
            self.mechanics.halt()
        await self.clock.sleep(self.line_s)

    async def status(self) -> HeadStatus:
        """Tell, or not."""
        if self.status_faults:
            raise CameraFaultError("No status.")
        if self.speed_fault and abs(self.mechanics.position().pan) > 0.001:
            self.speed_fault = False
            raise CameraFaultError("Not now.")
        await self.clock.sleep(self.line_s)
        told = HeadStatus(self.mechanics.position() if self.tells_position else None, None, self.clock.wall_ns())
        await self.clock.sleep(self.line_s)
        return told

    async def move_to(self, position: Position, *, speed: float | None = None) -> None:
        """Go."""
        self._may("move_to")
        self.mechanics.go_to(position)

    async def move_by(self, translation: Position) -> None:
        """Go from here."""
        here = self.mechanics.position()
        self.mechanics.go_to(Position(here.pan + translation.pan, here.tilt + translation.tilt, here.zoom))


async def run(head: BareHead, claims: HeadAbilities = CLAIMS) -> tuple[HeadAbilities, Quirks]:
    """Try it."""
    quirks = Quirks()

    def make(abilities: HeadAbilities) -> BareHead:
        head.abilities = abilities
        return head

    async def nothing() -> bytes | None:
        return None

    trial = HeadTrial(
        make=make,  # type: ignore[arg-type]  # by shape
        claim=Claim("node", claims, fov_offered=False),
        quirks=quirks,
        clock=head.clock,
        snapshot=nothing,
    )
    return await trial.run(), quirks


@pytest.fixture
def head() -> BareHead:
    """Return a head in order."""
    return BareHead(HastyClock(8))


@pytest.mark.parametrize("knob", ["tells_position", "status_faults"])
async def test_a_head_that_tells_no_position_is_not_moved(head: BareHead, knob: str) -> None:
    """Without a position nothing can be tried: absolute and FOV moves are not believed, and that is said."""
    setattr(head, knob, knob == "status_faults")
    abilities, quirks = await run(head)
    assert not abilities.status
    assert not abilities.absolute
    assert abilities.continuous
    assert "does not tell its position" in quirks.remarks[0].text
    assert head.mechanics.position().pan == pytest.approx(0.0)


async def test_a_head_that_refuses_to_turn(head: BareHead) -> None:
    """A head that faults on every form of ContinuousMove keeps its absolute moves."""
    head.refuses_moves = True
    abilities, quirks = await run(head)
    assert not abilities.continuous
    assert abilities.absolute
    assert list(quirks) == []
    assert any("refuses to be turned freely" in remark.text for remark in quirks.remarks)


async def test_a_head_that_accepts_and_does_not_turn(head: BareHead) -> None:
    """A move that is accepted and has no effect is remarked, and no quirk is made of it."""
    head.turns = False
    _, quirks = await run(head)
    assert list(quirks) == []
    assert any("does not turn" in remark.text for remark in quirks.remarks)


async def test_a_head_without_absolute_moves_is_brought_back_by_relative_ones(head: BareHead) -> None:
    """Where AbsoluteMove is missing, the head is turned back by the difference."""
    abilities, quirks = await run(head, replace(CLAIMS, absolute=False))
    assert not abilities.absolute
    assert abilities.stop_works
    assert head.mechanics.position().pan == pytest.approx(0.0, abs=0.02)
    assert list(quirks) == []


async def test_a_head_without_axes(head: BareHead) -> None:
    """A node without axes is left alone."""
    abilities, _ = await run(head, HeadAbilities(axes=frozenset()))
    assert abilities.axes == frozenset()


async def test_a_zoom_alone_is_not_turned(head: BareHead) -> None:
    """A head that only zooms is tried without pan."""
    abilities, quirks = await run(head, replace(CLAIMS, axes=frozenset({Axis.ZOOM})))
    assert abilities.axes == {Axis.ZOOM}
    assert list(quirks) == []


async def test_a_camera_that_falls_away_in_the_middle(head: BareHead) -> None:
    """The error of a camera lost during the trial reaches the caller."""
    head.dies_at = "stop"
    with pytest.raises(CameraError):
        await run(head)


async def test_a_head_that_cannot_be_brought_back_is_told(head: BareHead) -> None:
    """When the way back fails, the operator is told that the head stands elsewhere."""
    head.dies_at = "move_to"
    with pytest.raises(CameraUnreachableError):
        await run(head)
    head.dies_at = "move"
    with pytest.raises(CameraUnreachableError):
        await run(head)


async def test_a_head_whose_way_back_fails_is_not_left_turning(head: BareHead) -> None:
    """The head is stopped before it is sent back: where AbsoluteMove is refused it stands."""
    head.dies_at = "move_to"
    head.speed_fault = True
    with pytest.raises(CameraFaultError):
        await run(head)
    before = head.mechanics.position()
    await head.clock.sleep(1.0)
    assert head.mechanics.position() == before


@pytest.mark.parametrize("line_s", [0.0, 0.1, 0.2, 0.3, 0.4])
@pytest.mark.parametrize("deaf", [False, True])
async def test_what_stops_a_head_is_told_from_its_moves_own_end_over_a_slow_line(line_s: float, *, deaf: bool) -> None:
    """One that takes Stop is believed; one that only came to the end of its move meanwhile is not."""
    abilities, quirks = await run(BareHead(SteppedClock(), line_s=line_s, deaf=deaf))
    assert list(quirks) == (["stop-ineffective"] if deaf else [])
    assert abilities.stop_works is not deaf


@pytest.mark.parametrize("line_s", [0.6, 1.0])
async def test_what_a_line_is_too_slow_to_tell_is_not_relied_on(line_s: float) -> None:
    """A head that is deaf to Stop is believed over no line."""
    abilities, _ = await run(BareHead(SteppedClock(), line_s=line_s, deaf=True))
    assert not abilities.stop_works
