"""ICE restarts of a running view, with a player that is not ours: the picture goes on, the keys stay."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aioice.candidate import Candidate

from config.live import LiveSettings
from gateway.live import LiveHub, ViewerFacts, open_live
from gateway.live.errors import LiveFragmentError
from gateway.live.peer import Peer
from gateway.live.session import Session
from kernel.clock import SystemClock
from kernel.ids import CameraId, StreamName
from tests.fakes.pattern import PatternCamera
from tests.fakes.waiting import until
from tests.whep.player import Player, answers_check, candidates_in

CAMERA = CameraId("0" * 32)
LOOPBACK = LiveSettings.model_validate({"loopback": True, "addresses": ["127.0.0.1"], "port": 0})
PASSWORD = "p" * 24


@dataclass
class View:
    """A view that plays."""

    hub: LiveHub
    player: Player
    id: str
    etag: str

    @property
    def session(self) -> Session:
        """Return the host's side of it."""
        return self.hub._session(self.id)

    @property
    def peer(self) -> Peer:
        """Return its peer."""
        return self.session._peer

    @property
    def send(self) -> Callable[[str], Awaitable[str]]:
        """Return what brings a restart to the hub."""

        async def send(fragment: str) -> str:
            done = await self.hub.patch(self.id, fragment, "*")
            assert done is not None
            self.etag = done.etag
            return done.fragment

        return send


@asynccontextmanager
async def watching() -> AsyncIterator[View]:
    """Give a view, and see that nothing is left of it."""
    clock = SystemClock()
    camera = PatternCamera(clock, width=320, height=180, frame_rate=25, gop_frames=25)
    async with open_live(LOOPBACK, clock=clock) as hub:
        with hub.feed(CAMERA, StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed:
            async with camera.playing(feed):
                await until(lambda: len(feed.cached()) > 5, what="a cached GOP")
                player = Player(loopback=True)
                offer = await player.offer()
                answer = await hub.offer(CAMERA, StreamName.MAIN, offer, viewer=ViewerFacts(who="ann", address=""))
                await player.accept(answer.answer_sdp)
                assert await player.more_frames(5, within_s=20)
                view = View(hub, player, answer.id, answer.etag)
                try:
                    yield view
                finally:
                    await player.close()
                await until(lambda: not hub.viewers(), what="the end of the view")
        assert hub.port.seats.by_fragment == {}
        assert hub.port.seats.expected == {}
        assert all(not path.known for path in hub.port.paths.values())


async def test_the_picture_goes_on_over_the_new_pair() -> None:
    """Same session, same keys, another pair of addresses; twice in a row."""
    async with watching() as view:
        sealer, pairs = view.peer._sealer, []
        for _ in range(2):
            old = view.peer._session.pairs.best.remote_addr
            assert await view.player.restart(view.send, within_s=10)
            await until(lambda: view.peer._next is None, what="the host's change")
            assert await view.player.more_frames(30, within_s=20)
            pairs.append((old, view.peer._session.pairs.best.remote_addr))
        assert view.peer._sealer is sealer
        (viewer,) = view.hub.viewers()
    assert all(old != new for old, new in pairs)
    assert (viewer.session, viewer.connected) == (view.id, True)


async def test_old_credentials_open_nothing_afterwards() -> None:
    """A check under them is answered before the restart, and by nobody after it."""
    async with watching() as view:
        old = view.player.credentials
        (ours,) = [one for one in candidates_in(view.player.answered) if one.transport == "udp"]
        assert await answers_check(ours, old, within_s=5)
        assert await view.player.restart(view.send, within_s=10)
        await until(lambda: len(view.hub.port.seats.by_fragment) == 1, what="the end of the old place")
        assert not await answers_check(ours, old, within_s=0.3)
        assert await answers_check(ours, view.player.credentials, within_s=5)


async def test_a_restart_that_comes_to_nothing_costs_no_picture() -> None:
    """Where the viewer never comes by its new credentials, its old pair goes on (section 4.4.3)."""
    async with watching() as view:
        await view.send(view.player.fragment(name="elsewhere", password=PASSWORD))
        assert await view.player.more_frames(10, within_s=20)
        assert view.peer._next is not None
        assert await view.player.restart(view.send, within_s=10)
        await until(lambda: view.peer._next is None, what="the host's change")
        assert await view.player.more_frames(10, within_s=20)


async def test_a_view_that_ends_amid_a_restart_leaves_nothing() -> None:
    """Both ICE sessions go with it (the leaving fixture looks)."""
    async with watching() as view:
        await view.send(view.player.fragment(name="elsewhere", password=PASSWORD))
        assert len(view.hub.port.seats.by_fragment) == 2
        await view.hub.close(view.id)
        await until(lambda: not view.hub.viewers(), what="the end of the view")
        assert view.hub.port.seats.by_fragment == {}


async def test_trickling_goes_to_the_newest_session() -> None:
    """After a restart the new tag is asked for, and candidates are those of the new credentials."""
    async with watching() as view:
        before = view.etag
        await view.send(view.player.fragment(name="elsewhere", password=PASSWORD))
        assert view.etag != before
        line = "candidate:1 1 udp 2113937151 127.0.0.1 9 typ host"
        later = view.player.fragment(line, name="elsewhere", password=PASSWORD)
        assert await view.hub.patch(view.id, later, view.etag) is None
        fresh = view.peer._next
        assert fresh is not None
        assert [(one.host, one.port) for one in fresh.connection.remote_candidates] == [("127.0.0.1", 9)]
        with pytest.raises(LiveFragmentError):
            await view.hub.patch(view.id, view.player.fragment(line), view.etag)
        assert await view.player.more_frames(5, within_s=20)


async def test_a_restart_that_fails_here_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    """When no candidate can be gathered the old session goes on under its old tag, with nothing left over."""
    async with watching() as view:

        async def broken(*_: object) -> list[Candidate]:
            raise OSError

        with monkeypatch.context() as patched:
            patched.setattr(Peer, "_gather", broken)
            with pytest.raises(OSError):  # noqa: PT011 - it has no words
                await view.send(view.player.fragment(name="elsewhere", password=PASSWORD))
        assert len(view.hub.port.seats.by_fragment) == 1
        assert await view.hub.patch(view.id, "a=end-of-candidates\r\n", view.etag) is None
        assert await view.player.more_frames(5, within_s=20)
