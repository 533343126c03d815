"""A viewer whose session goes wrong in a way nobody foresaw."""

import pytest
from structlog.testing import capture_logs

from config.live import LiveSettings
from gateway.live import ViewerFacts, open_live
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
