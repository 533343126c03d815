"""Nothing is recorded where it may not be, and the timeline says so."""

from config.recording import RecordingSettings
from kernel.clock import NS_PER_S
from kernel.ids import StreamName
from kernel.media import GapCause
from recording import open_storage
from tests.fakes.clock import ManualClock
from tests.fakes.footage import START_NS, coded, units
from tests.unit.recording.conftest import CAMERA, feed

MAIN = StreamName.MAIN
WHY = "no deployment says why it stands here"


async def test_what_is_withheld_is_a_gap_for_privacy(settings: RecordingSettings, clock: ManualClock) -> None:
    """Between two recordings of a camera its timeline has the withheld time, from its start to its end."""
    async with open_storage(settings, clock=clock) as storage:
        async with storage.recorder(CAMERA, MAIN) as recorder:
            await feed(recorder, units(coded(), seconds=10), clock)
        await clock.turn(5)
        began_ns = clock.wall_ns()
        async with storage.withheld(CAMERA, MAIN, WHY):
            await clock.turn(60)
        ended_ns = clock.wall_ns()
        line = await storage.timeline(CAMERA, MAIN, START_NS, ended_ns + NS_PER_S)
    (gap,) = [gap for gap in line.gaps if gap.cause is GapCause.PRIVACY]
    assert (gap.start_ns, gap.end_ns, gap.detail) == (began_ns, ended_ns, WHY)


async def test_a_camera_never_recorded_says_why(settings: RecordingSettings, clock: ManualClock) -> None:
    """Also before its first footage the withheld time is told, while it lasts."""
    async with open_storage(settings, clock=clock) as storage, storage.withheld(CAMERA, MAIN, WHY):
        await clock.turn(60)
        line = await storage.timeline(CAMERA, MAIN, START_NS, START_NS + 60 * NS_PER_S)
    assert [(gap.cause, gap.start_ns, gap.end_ns) for gap in line.gaps] == [
        (GapCause.PRIVACY, START_NS, START_NS + 60 * NS_PER_S)
    ]
    assert not line.spans


async def test_it_goes_on_after_a_restart(settings: RecordingSettings, clock: ManualClock) -> None:
    """A host that starts anew withholds from then on; in between it was not running, and the two do not overlap."""
    async with open_storage(settings, clock=clock) as storage, storage.withheld(CAMERA, MAIN, WHY):
        await clock.turn(60)
    await clock.turn(30)
    async with open_storage(settings, clock=clock) as storage, storage.withheld(CAMERA, MAIN, WHY):
        await clock.turn(60)
        line = await storage.timeline(CAMERA, MAIN, START_NS, clock.wall_ns())
    told = [
        (gap.cause, (gap.start_ns - START_NS) // NS_PER_S, (gap.end_ns - START_NS) // NS_PER_S) for gap in line.gaps
    ]
    assert told == [(GapCause.PRIVACY, 0, 60), (GapCause.HOST, 60, 90), (GapCause.PRIVACY, 90, 150)]
