"""A viewer that nobody here wrote: aiortc's own peer connection, decoding what it is sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aioice.ice
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from av import VideoFrame

from drivers.simulator.picture import strip
from gateway.live import LiveHub, LiveSession, ViewerFacts
from kernel.ids import CameraId, StreamName


class PythonViewer:
    """Made by :func:`python_viewer`. ``seen`` holds what the strips of its decoded pictures said."""

    def __init__(self, session: LiveSession, peer: RTCPeerConnection) -> None:
        self.session = session
        self.peer = peer
        self.seen: list[strip.StripReading | None] = []
        self.sizes: list[tuple[int, int]] = []

    async def watch(self) -> None:
        """Decode until cancelled."""
        track = self.peer.getReceivers()[0].track
        while True:
            frame = await track.recv()
            assert isinstance(frame, VideoFrame)
            picture = frame.to_ndarray(format="gray")
            self.seen.append(strip.read(picture))
            self.sizes.append((frame.width, frame.height))

    async def report_lost_picture(self) -> None:
        """Send a PLI."""
        receiver: Any = self.peer.getReceivers()[0]
        await receiver._send_rtcp_pli(self.video_ssrc)

    @property
    def video_ssrc(self) -> int:
        """The source of the video, as the answer names it."""
        line = next(line for line in self.session.answer_sdp.splitlines() if line.startswith("a=ssrc:"))
        return int(line[len("a=ssrc:") :].split()[0])

    def vanish(self) -> None:
        """Be gone without a word, as a pulled cable is."""
        peer: Any = self.peer
        for transport in peer._RTCPeerConnection__iceTransports:
            for protocol in transport._connection._protocols:
                protocol.transport.abort()


@asynccontextmanager
async def python_viewer(
    hub: LiveHub, camera: CameraId, monkeypatch: pytest.MonkeyPatch, *, who: str = "ann"
) -> AsyncIterator[PythonViewer]:
    """Connect a viewer over loopback and let it watch."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **_: ["127.0.0.1"])
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.addTransceiver("video", direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    session = await hub.offer(
        camera, StreamName.MAIN, peer.localDescription.sdp, viewer=ViewerFacts(who=who, address="127.0.0.1")
    )
    await peer.setRemoteDescription(RTCSessionDescription(session.answer_sdp, "answer"))
    viewer = PythonViewer(session, peer)
    watching = asyncio.create_task(viewer.watch())
    try:
        yield viewer
    finally:
        watching.cancel()
        await asyncio.wait([watching])
        await peer.close()
