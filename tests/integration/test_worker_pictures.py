"""What is wrong with a camera's picture is found by a real camera host, in the borough, from keyframes alone."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from config.cameras import CameraSettings
from config.live import LiveSettings
from config.server import ServerSettings
from config.settings import Settings
from drivers.simulator.borough import Borough, open_borough
from drivers.simulator.settings import BoroughSettings
from gateway.fleet import rpc
from gateway.health.need import Kind
from gateway.health.picture import Grey
from gateway.health.urgency import Round, needs
from gateway.health.view import reference_of, shift
from gateway.tended import signs_of
from gateway.worker import CameraHost, looks, open_host
from gateway.worker.problems import NotSeenError
from kernel.clock import SystemClock
from kernel.ids import CameraId
from kernel.media import PictureFault
from tests.fakes.leaping import LeapingClock
from tests.fakes.onecamera import described, target_of
from tests.fakes.waiting import until

CLOCK = SystemClock()
ONE = CameraId("1" * 32)
LEAP_S = 3.0
pytestmark = pytest.mark.timeout(300)


class Watch:
    """A camera of the borough at a host; ``looking`` is the clock by which its picture is judged."""

    def __init__(self, borough: Borough, host: CameraHost, looking: LeapingClock, *, head: bool) -> None:
        self.borough = borough
        self.host = host
        self.looking = looking
        device = borough.device(1)
        description = described(device)
        view = description.views[0]
        if not head:
            # It has one that no gateway knows of: somebody with a ladder turns it.
            view = view.model_copy(update={"head": None})
        self.assignment = rpc.CameraAssignment(id=ONE, target=target_of(device), view=view, description=description)

    @property
    def fault(self) -> PictureFault | None:
        """Return what the host tells of its picture."""
        found = self.host.camera(ONE).state().picture
        return found.fault if found is not None else None

    @property
    def seen(self) -> bytes:
        """Return what was seen last, halved; empty before the first look."""
        try:
            return self.host.camera(ONE).seen[0]
        except NotSeenError:
            return b""

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Let time leap on until something is so."""

        def leapt() -> object:
            self.looking.leap(LEAP_S)
            return condition()

        await until(leapt, timeout_s=120.0, what=what)

    async def looked(self, times: int) -> None:
        """Let time leap on until so many pictures more were seen that differ."""
        for _ in range(times):
            before = self.seen
            await self.until(lambda: self.seen not in {b"", before}, "a look")  # noqa: B023 - awaited here


@asynccontextmanager
async def hosted(folder: Path, *, head: bool = False) -> AsyncIterator[Watch]:
    """Give a camera at its host, with a head or without."""
    settings = Settings(
        server=ServerSettings(data_dir=folder),
        cameras=CameraSettings(allow_loopback=True),
        live=LiveSettings(loopback=True, port=0),
    )
    looking = LeapingClock()
    borough = BoroughSettings(cameras=1, width=640, height=360, sub=None, gop_frames=4, bitrate_kbit=1500)
    async with (
        open_borough(borough, clock=CLOCK) as town,
        open_host(settings, folder / "h.sock", clock=CLOCK, looking=looking) as host,
    ):
        watch = Watch(town, host, looking, head=head)
        await host.assign(watch.assignment)
        yield watch


@asynccontextmanager
async def watched(folder: Path, *, head: bool = False) -> AsyncIterator[Watch]:
    """Give a camera that has its reference view, with a head or without."""
    async with hosted(folder, head=head) as watch:
        await watch.looked(1)
        seen, at = watch.host.camera(ONE).seen
        assert (at is not None) == head
        await watch.host.assign(watch.assignment.model_copy(update={"reference": seen, "reference_at": at}))
        yield watch


def _turn(borough: Borough) -> None:
    head = borough.device(1).head
    assert head is not None
    here = head.position()
    head.go_to(replace(here, pan=here.pan + 0.1))


def _defocus(borough: Borough) -> None:
    device = borough.device(1)
    device.autofocus, device.focus = False, 0.2


FAULTS: Mapping[PictureFault, Callable[[Borough], None]] = {
    PictureFault.BLACK: lambda borough: borough.cover(1, on=True),
    PictureFault.COVERED: lambda borough: borough.cover(1, on=True, level=120),
    PictureFault.BLURRED: _defocus,
    PictureFault.MOVED: _turn,
    PictureFault.FROZEN: lambda borough: borough.device(1).faults.set("freeze_picture"),
}


@pytest.mark.parametrize("fault", list(PictureFault))
async def test_a_fault_is_found(tmp_path: Path, fault: PictureFault) -> None:
    """A street in which people walk has none for six looks; then it is done, and found for what it is."""
    async with watched(tmp_path) as watch:
        await watch.looked(6)
        assert watch.fault is None
        FAULTS[fault](watch.borough)
        await watch.until(lambda: watch.fault is not None, f"that it is {fault}")
        assert watch.fault is fault


async def test_a_bag_that_is_taken_off_is_no_fault_any_more(tmp_path: Path) -> None:
    """The host says so by itself."""
    async with watched(tmp_path) as watch:
        watch.borough.cover(1, on=True)
        await watch.until(lambda: watch.fault is PictureFault.BLACK, "the bag")
        watch.borough.cover(1, on=False)
        await watch.until(lambda: watch.fault is None, "the street again")


async def test_a_bracket_that_is_turned_is_found_at_a_camera_with_a_head(tmp_path: Path) -> None:
    """Its head stands where it stood; what it shows is elsewhere."""
    async with watched(tmp_path, head=True) as watch:
        watch.borough.turn_bracket(1, 12.0)
        await watch.until(lambda: watch.fault is PictureFault.MOVED, "that it was turned")


async def test_a_head_that_is_steered_has_not_moved(tmp_path: Path) -> None:
    """Twelve looks at something else say nothing, once the host has seen that it stands elsewhere."""
    async with watched(tmp_path, head=True) as watch:

        def pan() -> float | None:
            head = watch.host.camera(ONE).state().head
            return head.pan if head is not None and not head.moving else None

        before = pan()
        _turn(watch.borough)
        await until(lambda: pan() not in {None, before}, what="the host to see that the head stands elsewhere")
        await watch.looked(12)
        assert watch.fault is None


async def test_a_reference_view_is_no_older_than_the_wish_for_it(tmp_path: Path) -> None:
    """Its bracket is turned and the new view confirmed at once, while the last look was at the old one."""
    async with hosted(tmp_path) as watch:
        await watch.looked(1)
        before = watch.seen
        watch.borough.turn_bracket(1, 12.0)
        confirmed, _ = await watch.host.look(ONE)
        moved = shift(given(before), given(confirmed))
        assert moved.moved
        await watch.host.assign(watch.assignment.model_copy(update={"reference": confirmed}))
        await watch.looked(6)
        assert watch.fault is None


async def test_a_host_whose_looks_do_not_run_says_that_nobody_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures come, and the program that looks at them ends each time: nothing is found, and that is no comfort."""
    monkeypatch.setattr(looks, "PROGRAM", "gateway.transcoder.not_there")
    async with hosted(tmp_path) as watch:

        def needed() -> list[Kind]:
            signs = signs_of(watch.host.camera(ONE).state(), missed=True)
            return [one.kind for one in needs(Round(cameras=[signs]), now_ns=watch.looking.wall_ns())]

        await until(lambda: watch.host.camera(ONE).state().live is rpc.LiveState.LIVE, what="its pictures")
        assert needed() == []
        await watch.until(lambda: Kind.UNSEEN in needed(), "that nobody looks")
        assert watch.host.camera(ONE).state().looked_ns is None


def given(view: bytes) -> Grey:
    """Return a reference view as it is compared."""
    grey = reference_of(view)
    assert grey is not None
    return grey
