"""A viewer that nobody here wrote: aiortc's own peer connection, decoding what it is sent."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aioice.ice
import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtp import RTCP_PSFB_FIR, RtcpPsfbPacket
from av import VideoFrame

from drivers.simulator.picture import strip
from gateway.live import LiveHub, LiveSession, ViewerFacts
from kernel.ids import CameraId, StreamName


class PythonViewer:
    """Made by :func:`python_viewer`. ``seen`` holds what the strips of its decoded pictures said.

    ``sizes``, ``digests`` and ``contrasts`` (standard deviation of luma) tell of pictures that have no strip.
    """

    def __init__(self, session: LiveSession, peer: RTCPeerConnection) -> None:
        self.session = session
        self.peer = peer
        self.seen: list[strip.StripReading | None] = []
        self.sizes: list[tuple[int, int]] = []
        self.digests: list[int] = []
        self.contrasts: list[float] = []

    async def watch(self) -> None:
        """Decode until cancelled."""
        track = self.peer.getReceivers()[0].track
        while True:
            frame = await track.recv()
            assert isinstance(frame, VideoFrame)
            picture = np.asarray(frame.to_ndarray(format="gray"), dtype=np.uint8)
            self.seen.append(strip.read(picture))
            self.sizes.append((frame.width, frame.height))
            self.digests.append(hash(picture.tobytes()))
            self.contrasts.append(float(picture.std()))

    async def report_lost_picture(self) -> None:
        """Send a PLI."""
        receiver: Any = self.peer.getReceivers()[0]
        await receiver._send_rtcp_pli(self.video_ssrc)

    @property
    def video_ssrc(self) -> int:
        """The source of the video, as the answer names it."""
        line = next(line for line in self.session.answer_sdp.splitlines() if line.startswith("a=ssrc:"))
        return int(line[len("a=ssrc:") :].split()[0])

    async def ask_for_a_keyframe(self) -> None:
        """Send a FIR, whose media source is 0 (RFC 5104 section 4.3.1), after an RTCP packet that makes no sense."""
        receiver: Any = self.peer.getReceivers()[0]
        await receiver.transport._send_rtp(b"\x81\xc8\x00\x99" + bytes(8))
        entry = self.video_ssrc.to_bytes(4, "big") + b"\x01\x00\x00\x00"
        await receiver._send_rtcp(RtcpPsfbPacket(fmt=RTCP_PSFB_FIR, ssrc=1, media_ssrc=0, fci=entry))

    def vanish(self) -> None:
        """Be gone without a word, as a pulled cable is."""
        peer: Any = self.peer
        for transport in peer._RTCPeerConnection__iceTransports:
            for protocol in transport._connection._protocols:
                protocol.transport.abort()


@asynccontextmanager
async def python_viewer(
    hub: LiveHub,
    camera: CameraId,
    monkeypatch: pytest.MonkeyPatch,
    *,
    who: str = "ann",
    host: str = "127.0.0.1",
    false_fingerprint: bool = False,
    through: int | None = None,
) -> AsyncIterator[PythonViewer]:
    """Connect a viewer over loopback and let it watch.

    ``through`` is the port of a router on 127.0.0.1 that hides it and us from each other: it tells no candidate of its
    own, and knows only that one of ours.
    """
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **_: [host])
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.addTransceiver("video", direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    offer = peer.localDescription.sdp
    if false_fingerprint:
        offer = re.sub("a=fingerprint:(sha-...) ..", r"a=fingerprint:\1 00", offer)
    if through is not None:
        offer = re.sub("a=candidate:.*\r\n", "", offer)
    session = await hub.offer(camera, StreamName.MAIN, offer, viewer=ViewerFacts(who=who, address="127.0.0.1"))
    answer = session.answer_sdp
    if through is not None:
        answer = re.sub("a=candidate:.* tcp .*\r\n", "", answer)
        answer = re.sub(r"(a=candidate:.* udp \d+) \S+ \d+", rf"\1 127.0.0.1 {through}", answer)
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    viewer = PythonViewer(session, peer)
    watching = asyncio.create_task(viewer.watch())
    try:
        yield viewer
    finally:
        watching.cancel()
        await asyncio.wait([watching])
        await peer.close()
