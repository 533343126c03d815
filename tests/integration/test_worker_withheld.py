"""A camera host that is to record nothing of a camera: pictures go on, the disk has none, the timeline says why."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.fleet.footage import TimelineReply
from gateway.fleet.hosts import HostError
from gateway.fleet.rpc import CameraAssignment, CameraState
from gateway.worker.stream import STANDS_FOR
from kernel.clock import NS_PER_S, SystemClock
from kernel.ids import StreamName
from kernel.media import GapCause
from tests.fakes.leaping import LeapingClock
from tests.fakes.onecamera import one_camera
from tests.fakes.waiting import until
from tests.integration.test_worker_host import Site, site_of

pytestmark = pytest.mark.timeout(60)
CLOCK = SystemClock()
TICKS_NS = NS_PER_S // 1000
"""A file's end in the catalog and that of its last picture may be some ticks of 11 µs apart."""
WHY = "no valid deployment says why this camera stands here"


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Give a host that owns no camera yet."""
    async with one_camera(CLOCK) as device, site_of(tmp_path, device) as site:
        yield site


async def line_of(site: Site, stream: StreamName) -> TimelineReply:
    """Return the last minute."""
    now_ns = CLOCK.wall_ns()
    return await site.client.timeline(site.id, stream, now_ns - 60 * NS_PER_S, now_ns)


async def told(site: Site, assignment: CameraAssignment) -> None:
    """Tell the host, and await pictures of it by the new word, recorded or not as that says."""
    seen, recorded = len(site.lines), assignment.recording and not assignment.withheld
    await site.client.assign(assignment)

    def streams(state: CameraState) -> bool:
        """Whether pictures come of each, which do not wait for each other."""
        taken = [state.main] if assignment.small_only else [state.main, state.sub]
        return all(one and one.frames > 40 and one.recording and one.recording.on is recorded for one in taken)

    await until(
        lambda: len(site.lines) > seen and site.state(lambda s: streams(s) and s.small_only is assignment.small_only),
        what="pictures",
    )


async def test_what_is_withheld_is_shown_and_not_recorded(site: Site) -> None:
    """Both streams have a gap for privacy and no footage, while pictures come."""
    await site.client.assign(site.assignment().model_copy(update={"withheld": WHY}))
    await until(lambda: site.state(lambda s: s.main.frames > 40 and s.sub and s.sub.frames > 40), what="pictures")
    state = site.state()
    assert state is not None
    assert state.main.recording is not None
    assert (state.main.recording.on, state.main.recording.cause) == (False, WHY)
    for stream in StreamName:
        line = await line_of(site, stream)
        assert line.spans == ()
        assert [(gap.cause, gap.detail) for gap in line.gaps] == [(GapCause.PRIVACY, WHY)]


async def test_it_records_as_soon_as_it_may_and_stops_when_it_may_no_more(site: Site) -> None:
    """A deployment begins and ends: footage lies between two stretches of privacy."""
    withheld = site.assignment().model_copy(update={"withheld": WHY})
    for assignment in (withheld, site.assignment(), withheld):
        await told(site, assignment)
    line = await line_of(site, StreamName.MAIN)
    assert len(line.spans) == 1
    # Where it may be recorded and no picture has come yet, the host is late.
    assert [gap.cause for gap in line.gaps] == [GapCause.PRIVACY, GapCause.HOST, GapCause.PRIVACY]
    assert line.gaps[0].end_ns <= line.spans[0].start_ns
    assert line.gaps[-1].start_ns >= line.spans[0].end_ns


async def test_what_should_not_have_been_recorded_is_deleted_on_demand(site: Site) -> None:
    """Once it is recorded no more; the timeline says privacy in its place, and nothing of it plays."""
    for assignment in (site.assignment(), site.assignment().model_copy(update={"withheld": WHY})):
        await told(site, assignment)
    (span,) = (await line_of(site, StreamName.MAIN)).spans
    found = await site.client.erase(site.id, span.start_ns - NS_PER_S, CLOCK.wall_ns(), WHY)
    assert (found.files, found.kept) == (2, 0)
    for stream in StreamName:
        line = await line_of(site, stream)
        assert line.spans == ()
        assert {(gap.cause, gap.detail) for gap in line.gaps if gap.end_ns > span.start_ns} >= {(GapCause.PRIVACY, WHY)}
    with pytest.raises(HostError):
        await site.client.still(site.id, StreamName.MAIN, span.start_ns + TICKS_NS)


async def test_a_recording_ends_on_time_without_the_gateway(site: Site) -> None:
    """The host was told until when; nobody tells it anything then."""
    # Far beyond what it takes until something is recorded, on any machine: what it ends at is told after that.
    told = site.assignment().model_copy(update={"withheld": WHY, "withheld_from_ns": CLOCK.wall_ns() + 3600 * NS_PER_S})
    await site.client.assign(told)
    await until(lambda: site.state(lambda s: s.main.recording and s.main.recording.on), what="a recording")
    from_ns = CLOCK.wall_ns() + 2 * NS_PER_S
    await site.client.assign(told.model_copy(update={"withheld_from_ns": from_ns}))
    await until(lambda: site.state(lambda s: s.main.recording and s.main.recording.cause == WHY), what="its end")
    assert CLOCK.wall_ns() >= from_ns
    line = await line_of(site, StreamName.MAIN)
    assert len(line.spans) == 1
    assert line.spans[0].end_ns <= CLOCK.wall_ns()
    # The gateway says the same when it is back, and nothing is begun anew.
    actor = site.host.camera(site.id)
    await site.client.assign(told.model_copy(update={"withheld_from_ns": None}))
    assert site.host.camera(site.id) is actor


async def test_a_recording_ends_on_time_though_its_stream_falls_just_then(tmp_path: Path) -> None:
    """To be ended and to be begun anew come in the same turn: it ends, and its camera can be let go of."""
    clock = LeapingClock()
    async with one_camera(CLOCK) as device, site_of(tmp_path, device, clock) as site:
        from_ns = clock.wall_ns() + 3600 * NS_PER_S
        await site.client.assign(site.assignment().model_copy(update={"withheld": WHY, "withheld_from_ns": from_ns}))
        await until(lambda: site.state(lambda s: s.main.recording and s.main.recording.on), what="a recording")
        # By this hour it may be recorded no more, and no picture came for the ten seconds that are waited for one.
        clock.leap(3600)
        await until(lambda: site.state(lambda s: s.main.recording and s.main.recording.cause == WHY), what="its end")
        await site.client.release(site.id)


async def test_a_wall_clock_that_leaps_ends_no_recording(tmp_path: Path) -> None:
    """What would be lost until it is put right cannot be had again; what has gone by ends it."""
    clock = LeapingClock()
    async with one_camera(CLOCK) as device, site_of(tmp_path, device, clock) as site:
        from_ns = clock.wall_ns() + 86_400 * NS_PER_S
        told = site.assignment().model_copy(update={"withheld": WHY, "withheld_from_ns": from_ns})
        clock.set_wall(30 * 86_400)
        await site.client.assign(told)
        # Whoever waits for its end has had many turns once these are answered.
        for _ in range(10):
            await line_of(site, StreamName.MAIN)
        assert site.host.camera(site.id).assignment.withheld_from_ns == from_ns
        clock.set_wall(-30 * 86_400)
        clock.leap(86_400)
        await until(lambda: site.host.camera(site.id).assignment.withheld_from_ns is None, what="its end")


async def test_an_authority_that_is_extended_disturbs_nothing(tmp_path: Path) -> None:
    """The host is told another end in time: the same recording goes on beyond the first one."""
    clock = LeapingClock()
    async with one_camera(CLOCK) as device, site_of(tmp_path, device, clock) as site:
        first_ns = clock.wall_ns() + 3600 * NS_PER_S
        told = site.assignment().model_copy(update={"withheld": WHY, "withheld_from_ns": first_ns})
        await site.client.assign(told)
        actor = site.host.camera(site.id)
        await site.client.assign(told.model_copy(update={"withheld_from_ns": first_ns + 7200 * NS_PER_S}))
        clock.leap(3600)
        # Whoever waited for the first end has had many turns once these are answered.
        for _ in range(10):
            await line_of(site, StreamName.MAIN)
        assert clock.wall_ns() > first_ns
        assert site.host.camera(site.id) is actor
        await until(lambda: site.state(lambda s: s.main.recording and s.main.recording.on), what="a recording")


async def test_recording_that_is_switched_off_is_lost_to_nobody(site: Site) -> None:
    """What lies between the last picture and the first of later is told as off, of both streams, and of no host's."""
    on, off = site.assignment(), site.assignment().model_copy(update={"recording": False})
    for assignment in (on, off):
        await told(site, assignment)
    for stream in StreamName:
        line = await line_of(site, stream)
        assert len(line.spans) == 1
        assert [gap.cause for gap in line.gaps] == [GapCause.OFF]
        assert line.gaps[0].start_ns - line.spans[0].end_ns < TICKS_NS
    await told(site, on)
    line = await line_of(site, StreamName.MAIN)
    # From its switching on until the first picture the host is late.
    assert [gap.cause for gap in line.gaps] == [GapCause.OFF, GapCause.HOST]


async def test_a_camera_that_is_taken_from_its_host_is_off(site: Site) -> None:
    """One that was being recorded; a second word about it changes nothing."""
    await told(site, site.assignment())
    for _ in range(2):
        await site.client.release(site.id)
        line = await line_of(site, StreamName.MAIN)
        assert [gap.cause for gap in line.gaps] == [GapCause.OFF]
        assert line.gaps[0].start_ns - line.spans[0].end_ns < TICKS_NS


async def test_over_a_thin_link_the_stream_that_is_not_taken_is_off(site: Site) -> None:
    """The sub stream is recorded in the main one's place: of its own timeline nothing is lost."""
    await told(site, site.assignment())
    await told(site, site.assignment().model_copy(update={"small_only": True}))
    line = await line_of(site, StreamName.SUB)
    assert [(gap.cause, gap.detail) for gap in line.gaps] == [(GapCause.OFF, STANDS_FOR)]
