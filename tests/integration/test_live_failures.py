"""A viewer whose session goes wrong in a way nobody foresaw."""

import asyncio
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from config.live import LiveSettings
from gateway.live import ViewerFacts, open_live
from gateway.live.peer import Peer
from gateway.live.session import Session
from kernel.ids import CameraId, StreamName
from tests.fakes.clock import ManualClock
from tests.fakes.pattern import PatternCamera
from tests.fakes.waiting import until
from tests.unit.live.test_offer import CHROMIUM

CAMERA = CameraId("0" * 32)
LOOPBACK = LiveSettings.model_validate({"loopback": True, "addresses": ["127.0.0.1"], "port": 0, "max_viewers": 2})


async def test_one_viewers_failure_is_theirs_alone(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The failed session ends and is logged once with its traceback; the other viewer and the hub go on."""
    serve = Session._serve

    async def fails_for_ann(session: Session) -> None:
        if session.viewer.who == "ann":
            raise RuntimeError("unforeseen")
        await serve(session)

    monkeypatch.setattr(Session, "_serve", fails_for_ann)
    camera = PatternCamera(clock, width=320, height=180, frame_rate=25, gop_frames=25)
    with capture_logs() as logs:
        async with open_live(LOOPBACK, clock=clock) as hub:
            with hub.feed(CAMERA, StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed:
                feed.started(camera.description)
                feed.video(camera.unit())
                bob = await hub.offer(
                    CAMERA, StreamName.MAIN, CHROMIUM, viewer=ViewerFacts(who="bob", address="127.0.0.1")
                )
                await hub.offer(CAMERA, StreamName.MAIN, CHROMIUM, viewer=ViewerFacts(who="ann", address="127.0.0.1"))
                await until(lambda: len(hub.viewers()) == 1, what="the end of the failed session")
                assert [viewer.session for viewer in hub.viewers()] == [bob.id]
                feed.video(camera.unit())
    (failed,) = [entry for entry in logs if entry["event"] == "live.viewer_failed"]
    assert (failed["camera"], failed["exc_info"]) == (CAMERA, True)
    assert next(entry["reason"] for entry in logs if entry["event"] == "live.ended") == "failed"


@pytest.mark.parametrize("handshake", ["ends", "goes on"])
async def test_a_view_ends_though_a_cancellation_is_lost(
    handshake: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handshake that forgets that it was cancelled, as ``asyncio.wait_for`` may, does not keep a closed view open."""
    waiting = asyncio.Event()

    async def forgets(_peer: Peer, *_: object) -> bool:
        with suppress(asyncio.CancelledError):
            waiting.set()
            await asyncio.Event().wait()
        if handshake == "goes on":
            await asyncio.Event().wait()
        return True

    monkeypatch.setattr("gateway.live.session.CANCEL_AGAIN_S", 0.05)
    monkeypatch.setattr(Peer, "connect", forgets)
    camera = PatternCamera(clock, width=320, height=180, frame_rate=25, gop_frames=25)
    async with open_live(LOOPBACK, clock=clock) as hub:
        with hub.feed(CAMERA, StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed:
            feed.started(camera.description)
            feed.video(camera.unit())
            ann = ViewerFacts(who="ann", address="127.0.0.1")
            session = await hub.offer(CAMERA, StreamName.MAIN, CHROMIUM, viewer=ann)
            await waiting.wait()
            await hub.close(session.id)
            await until(lambda: not hub.viewers(), what="the end of the view")
            assert feed.viewers == 0
