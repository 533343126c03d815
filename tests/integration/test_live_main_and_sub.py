"""A viewer moved to the camera's sub stream and back, decoded all the while by a peer that nobody here wrote."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from config.live import LiveSettings
from gateway.live import LiveHub, ViewerFacts, open_live
from gateway.live.errors import LiveCodecError
from gateway.live.ladder import FIRST_TRIAL_NS
from kernel.clock import NS_PER_S
from kernel.ids import CameraId, StreamName
from kernel.media import VideoCodec
from tests.fakes.clock import ManualClock, settle
from tests.fakes.pattern import PatternCamera
from tests.fakes.python_viewer import PythonViewer, python_viewer
from tests.fakes.waiting import until
from tests.unit.live.test_offer import CHROMIUM

CAMERA = CameraId("0" * 32)
LOOPBACK = LiveSettings.model_validate({"loopback": True, "addresses": ["127.0.0.1"], "port": 0})
MAIN, SUB = (320, 180), (192, 108)


class Camera:
    """Two streams of one camera, sent picture by picture."""

    def __init__(self, clock: ManualClock, *, sub_codec: VideoCodec = VideoCodec.H264) -> None:
        self.clock = clock
        self.main = PatternCamera(clock, number=31, width=320, height=180, frame_rate=25, gop_frames=25)
        self.sub = PatternCamera(clock, number=31, width=192, height=108, frame_rate=25, gop_frames=25, codec=sub_codec)

    @asynccontextmanager
    async def served(self, hub: LiveHub) -> AsyncIterator[None]:
        """Give both feeds."""
        with (
            hub.feed(CAMERA, StreamName.MAIN, request_keyframe=self.main.request_keyframe) as main,
            hub.feed(CAMERA, StreamName.SUB, request_keyframe=self.sub.request_keyframe) as sub,
        ):
            self.feeds = main, sub
            main.started(self.main.description)
            sub.started(self.sub.description)
            await self.play(30)
            yield

    async def play(self, pictures: int) -> None:
        """Let time pass, and send what is due on both streams."""
        for _ in range(pictures):
            await self.clock.turn(0.04)
            for feed, camera in zip(self.feeds, (self.main, self.sub), strict=True):
                feed.video(camera.unit())
            # The viewer runs on the true clock: it decodes, and answers with its reports.
            await settle(1)

    async def until_decoded(self, viewer: PythonViewer, size: tuple[int, int]) -> None:
        """Play on until the viewer decodes pictures of a size."""
        before = len(viewer.sizes)
        for _ in range(400):
            if size in viewer.sizes[before:]:
                return
            await self.play(1)
            await settle(20)
        # All that is needed has been sent; how soon its threads decode it is the machine's affair.
        await until(lambda: size in viewer.sizes[before:], what=f"a picture of {size}")


async def test_down_and_up_again_without_a_new_offer(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The peer decodes both sizes one after another on one track; the host tells which stream is shown."""
    camera = Camera(clock)
    async with open_live(LOOPBACK, clock=clock) as hub, camera.served(hub):
        async with python_viewer(hub, CAMERA, monkeypatch) as viewer:
            await until(lambda: hub.viewers()[0].connected, what="the connection")
            await camera.until_decoded(viewer, MAIN)
            session = hub._session(viewer.session.id)
            session._ladder.overrun(clock.monotonic_ns())
            await camera.until_decoded(viewer, SUB)
            assert hub.viewers()[0].stream is StreamName.SUB
            assert hub.viewers_of(CAMERA) == 1
            await camera.play(FIRST_TRIAL_NS * 25 // NS_PER_S)
            # Nothing is told of the line while the viewer's reports say that all is well.
            session._ladder.reported(0.0, 0.0, 0.0, clock.monotonic_ns())
            await camera.until_decoded(viewer, MAIN)
            assert hub.viewers()[0].stream is StreamName.MAIN
        await until(lambda: not hub.viewers(), what="the end of the view")
        assert camera.feeds[0].viewers == camera.feeds[1].viewers == 0


async def test_a_sub_stream_of_another_coding_is_no_way_down(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was negotiated is one coding: a viewer of H.264 is never sent the H.265 of the sub stream."""
    camera = Camera(clock, sub_codec=VideoCodec.H265)
    async with (
        open_live(LOOPBACK, clock=clock) as hub,
        camera.served(hub),
        python_viewer(hub, CAMERA, monkeypatch) as viewer,
    ):
        await until(lambda: hub.viewers()[0].connected, what="the connection")
        hub._session(viewer.session.id)._ladder.overrun(clock.monotonic_ns())
        await camera.play(60)
        assert hub.viewers()[0].stream is StreamName.MAIN


@pytest.mark.parametrize(("best", "shown"), [(StreamName.MAIN, StreamName.MAIN), (StreamName.SUB, None)])
async def test_main_takes_the_place_of_an_h265_sub_only_where_it_may(
    clock: ManualClock, best: StreamName, shown: StreamName | None
) -> None:
    """A browser without H.265 that asks for it is shown main, or told that nothing can be: never main against a right.

    In a view that may show sub alone nothing is coded anew here either: the pool is empty.
    """
    camera = Camera(clock, sub_codec=VideoCodec.H265)
    without = LOOPBACK.model_copy(update={"transcodes": 0})
    viewer = ViewerFacts(who="PC 1", address="127.0.0.1")
    async with open_live(without, clock=clock) as hub, camera.served(hub):
        if shown is None:
            with pytest.raises(LiveCodecError):
                await hub.offer(CAMERA, StreamName.SUB, CHROMIUM, viewer=viewer, best=best)
            assert hub.viewers() == []
        else:
            session = await hub.offer(CAMERA, StreamName.SUB, CHROMIUM, viewer=viewer, best=best)
            assert session.stream is shown


async def test_a_weak_line_does_not_make_a_view_one_of_the_sub_stream(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is carried at the moment is told beside what a good line is shown, and what was asked for."""
    camera = Camera(clock)
    async with (
        open_live(LOOPBACK, clock=clock) as hub,
        camera.served(hub),
        python_viewer(hub, CAMERA, monkeypatch) as viewer,
    ):
        await until(lambda: hub.viewers()[0].connected, what="the connection")
        hub._session(viewer.session.id)._ladder.overrun(clock.monotonic_ns())
        await camera.until_decoded(viewer, SUB)
        (state,) = hub.viewers()
        assert (state.stream, state.shown, state.asked) == (StreamName.SUB, StreamName.MAIN, StreamName.MAIN)


async def test_the_end_of_the_sub_stream_leads_back(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A viewer who was moved down is shown the main stream again when the sub stream goes, in the same view."""
    camera = Camera(clock)
    async with (
        open_live(LOOPBACK, clock=clock) as hub,
        camera.served(hub),
        python_viewer(hub, CAMERA, monkeypatch) as viewer,
    ):
        await until(lambda: hub.viewers()[0].connected, what="the connection")
        hub._session(viewer.session.id)._ladder.overrun(clock.monotonic_ns())
        await camera.until_decoded(viewer, SUB)
        camera.feeds[1].close()
        await camera.until_decoded(viewer, MAIN)
        assert [one.session for one in hub.viewers()] == [viewer.session.id]
