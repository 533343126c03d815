"""The end of a share is the end of its media: real ICE, DTLS and SRTP, and everything that might take it up again."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aioice.ice
import pytest
import pytest_asyncio
from aioice import stun
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from av import VideoFrame

from config.live import LiveSettings
from tests.fakes.desk import Desk
from tests.fakes.outside import Officer, officer, share
from tests.fakes.waiting import until
from tests.fakes.whep_desk import WhepDesk, whep_desk

LIVE = LiveSettings.model_validate({"loopback": True, "addresses": ["127.0.0.1"], "port": 0})
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}


class Watching:
    """A partner's own view, by aiortc: what it decoded, and every datagram that it sent."""

    def __init__(self, peer: RTCPeerConnection) -> None:
        self.peer = peer
        self.address = ""
        self.answer = ""
        self.frames = 0

    async def watch(self) -> None:
        """Decode until cancelled."""
        track = self.peer.getReceivers()[0].track
        while True:
            assert isinstance(await track.recv(), VideoFrame)
            self.frames += 1

    def credential(self, name: str) -> str:
        """Return the host's ufrag or pwd, as the answer told it."""
        found = re.search(rf"a=ice-{name}:(\S+)", self.answer)
        assert found is not None
        return found[1]

    @property
    def own_address(self) -> tuple[str, int]:
        """Return where the host knows the viewer."""
        peer: Any = self.peer
        (transport,) = peer._RTCPeerConnection__iceTransports
        pair = transport._connection._nominated[1]
        host, port = pair.protocol.transport.get_extra_info("sockname")[:2]
        return host, port


@asynccontextmanager
async def watching(at: WhepDesk, pc: Officer) -> AsyncIterator[Watching]:
    """Let somebody outside watch the camera."""
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.addTransceiver("video", direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    view = Watching(peer)
    answer = await pc.browser.post(
        f"/whep/{at.camera}/main",
        content=peer.localDescription.sdp.encode(),
        headers={"Content-Type": "application/sdp"},
    )
    assert answer.status_code == 201, answer.text
    view.address, view.answer = answer.headers["location"], answer.text
    await peer.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
    decoding = asyncio.create_task(view.watch())
    try:
        await until(lambda: view.frames > 3, what="decoded pictures")
        yield view
    finally:
        decoding.cancel()
        await asyncio.wait([decoding])
        await peer.close()


class Stage:
    """A camera that plays, an officer, and what the officer's side has sent."""

    def __init__(self, at: WhepDesk, pc: Officer, sent: list[bytes]) -> None:
        self.at = at
        self.desk: Desk = at.desk
        self.pc = pc
        self.sent = sent

    async def over(self) -> None:
        """Wait until the host has no viewer any more."""
        await until(lambda: not self.at.hub.viewers(), what="the view to end")

    @property
    def unknown(self) -> int:
        """Return how many datagrams came to the host's port that belong to nobody."""
        return self.at.hub.port.counters.unknown


@pytest_asyncio.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """Give it; viewers come from 127.0.0.1."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **_: ["127.0.0.1"])
    sent: list[bytes] = []
    send = aioice.ice.StunProtocol.send_data

    async def recorded(protocol: Any, data: bytes, address: Any) -> None:
        sent.append(data)
        await send(protocol, data, address)

    monkeypatch.setattr(aioice.ice.StunProtocol, "send_data", recorded)
    async with whep_desk(tmp_path, LIVE) as at:
        yield Stage(at, await officer(at.desk), sent)


async def test_no_packet_comes_after_the_end(stage: Stage) -> None:
    """Once the room has ended the share the picture stands, though the camera plays on."""
    identity = await share(stage.desk, stage.pc, stage.at.camera)
    async with watching(stage.at, stage.pc) as view:
        (feed,) = stage.at.hub._feeds.values()
        await stage.desk.admin.delete(f"/api/v1/shares/{identity}")
        await stage.over()
        await until(lambda: not view.peer.getReceivers()[0].track._queue.qsize(), what="what had come to be decoded")  # type: ignore[attr-defined]
        frames, newest = view.frames, feed.cached()[-1]
        await until(lambda: newest not in feed.cached(), what="the next group of pictures")
        assert view.frames <= frames + 1  # one was being decoded


async def test_the_old_address_does_nothing(stage: Stage) -> None:
    """Neither candidates, nor an ICE restart, nor a goodbye are taken, before and after they may see again."""
    identity = await share(stage.desk, stage.pc, stage.at.camera)
    async with watching(stage.at, stage.pc) as view:
        await stage.desk.admin.delete(f"/api/v1/shares/{identity}")
        await stage.over()
        restart = b"a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
        for status in (403, 404):
            patched = await stage.pc.browser.patch(view.address, content=restart, headers=FRAGMENT)
            assert patched.status_code == status
            assert (await stage.pc.browser.delete(view.address)).status_code == status
            if status == 403:
                await share(stage.desk, stage.pc, stage.at.camera)
        assert stage.at.hub.viewers() == []


async def test_old_ice_credentials_open_nothing(stage: Stage) -> None:
    """A check with the old ufrag and password was answered while the share ran, and is nobody's afterwards."""
    identity = await share(stage.desk, stage.pc, stage.at.camera)
    async with watching(stage.at, stage.pc) as view:
        before = await checked(stage, view)
        await stage.desk.admin.delete(f"/api/v1/shares/{identity}")
        await stage.over()
        unknown = stage.unknown
        after = asyncio.create_task(checked(stage, view))
        await until(lambda: stage.unknown > unknown, what="the check to be counted as nobody's")
        assert not after.done()
        after.cancel()
        await asyncio.wait([after])
    assert before.message_class is stun.Class.RESPONSE


async def checked(stage: Stage, view: Watching) -> stun.Message:
    """Send a connectivity check with the credentials of the answer, and return what comes back."""
    message = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    own = re.search(r"a=ice-ufrag:(\S+)", view.peer.localDescription.sdp)
    assert own is not None
    message.attributes["USERNAME"] = f"{view.credential('ufrag')}:{own[1]}"
    message.attributes["PRIORITY"] = 1
    message.attributes["ICE-CONTROLLING"] = 1
    message.add_message_integrity(view.credential("pwd").encode())
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)  # noqa: FBT003 - the socket module's own
        sock.connect(("127.0.0.1", stage.at.hub.port.number))
        await loop.sock_sendall(sock, bytes(message))
        return stun.parse_message(await loop.sock_recv(sock, 2000))


async def test_recorded_dtls_resumes_nothing(stage: Stage) -> None:
    """The whole handshake and the last packets, sent again from the very same address, belong to nobody."""
    identity = await share(stage.desk, stage.pc, stage.at.camera)
    async with watching(stage.at, stage.pc) as view:
        own = view.own_address
        await until(lambda: any(128 <= data[0] <= 191 for data in stage.sent), what="reports of the viewer")
        await stage.desk.admin.delete(f"/api/v1/shares/{identity}")
        await stage.over()
    recorded = [data for data in stage.sent if data[0] > 3]
    assert any(20 <= data[0] <= 63 for data in recorded)
    unknown = stage.unknown
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(own)
        for data in recorded:
            sock.sendto(data, ("127.0.0.1", stage.at.hub.port.number))
        await until(lambda: stage.unknown >= unknown + len(recorded), what="every packet to be counted as nobody's")
        sock.setblocking(False)  # noqa: FBT003 - the socket module's own
        with pytest.raises(BlockingIOError):
            sock.recv(2000)


async def test_relay_credentials_end_with_the_share(tmp_path: Path) -> None:
    """A partner's TURN user name holds no longer than what is shared; the room's own holds as long as is set."""
    live = LIVE.model_copy(
        update=LiveSettings.model_validate(
            {"turn_urls": ["turn:turn.example.org"], "turn_secret": "a secret shared with coturn", "turn_ttl_s": 86_400}
        ).model_dump(include={"turn_urls", "turn_secret", "turn_ttl_s"})
    )
    async with whep_desk(tmp_path, live) as at:
        pc = await officer(at.desk)
        identity = await share(at.desk, pc, at.camera, minutes=5)
        ends_s = at.desk.gateway.rooms.sharing.shares.get(identity).ends_ns // 10**9
        told = (await pc.browser.options(f"/whep/{at.camera}/main")).headers["link"]
        own = (await at.desk.admin.options(f"/whep/{at.camera}/main")).headers["link"]
    (until_s,), (own_s,) = (re.findall(r'username="(\d+):', link) for link in (told, own))
    assert int(until_s) == ends_s
    assert int(own_s) > ends_s + 80_000
