"""`python -m contest.aiortc_server`: aiortc as its makers mean it, with pictures that are coded already.

One RTCPeerConnection for each viewer, its sender fed with ``av.Packet`` (which it cuts into packets and does not code),
all in one process on uvloop. The film lies in memory: nothing is taken in and nothing recorded, which favours it.
An offer is a line of JSON on the Unix socket, and so is the answer. Words on standard input: ``count``, ``pause``.
"""

import argparse
import asyncio
import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import aioice.ice
import av
import uvloop
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.stats import RTCOutboundRtpStreamStats
from cheap_cameras.film import RTP_CLOCK_HZ
from cheap_cameras.stored import load

from contest.pacer import Pacer

_BASE = Fraction(1, RTP_CLOCK_HZ)


class FilmTrack(MediaStreamTrack):
    """The pictures of one viewer, from a keyframe on."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._pictures: asyncio.Queue[Any] = asyncio.Queue()
        self._begun = False

    def put(self, packet: Any) -> None:
        """Take the next picture."""
        self._begun = self._begun or packet.is_keyframe
        if self._begun:
            self._pictures.put_nowait(packet)

    async def recv(self) -> Any:
        """See :class:`MediaStreamTrack`."""
        return await self._pictures.get()


class Server:
    """Every peer, and the film they are shown."""

    def __init__(self, film_path: Path) -> None:
        film = load(film_path)
        self._streams = [b"".join(b"\0\0\0\1" + nal for nal in units) for units in film.pictures]
        self._gop_frames = film.shape.gop_frames
        self._ticks = round(RTP_CLOCK_HZ / film.shape.frame_rate)
        self._peers: list[RTCPeerConnection] = []
        self._tracks: list[FilmTrack] = []
        self.pacer = Pacer(film, self._show)

    def _show(self, number: int) -> None:
        index = number % len(self._streams)
        packet: Any = av.Packet(self._streams[index])
        packet.pts = number * self._ticks
        packet.time_base = _BASE
        packet.is_keyframe = index % self._gop_frames == 0
        for track in self._tracks:
            track.put(packet)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one offer."""
        asked = json.loads(await reader.readline())
        peer, track = RTCPeerConnection(RTCConfiguration(iceServers=[])), FilmTrack()
        self._peers.append(peer)
        peer.addTrack(track)

        @peer.on("connectionstatechange")
        def changed() -> None:
            if peer.connectionState == "connected":
                self._tracks.append(track)

        await peer.setRemoteDescription(RTCSessionDescription(asked["offer"], "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        writer.write(json.dumps({"answer": peer.localDescription.sdp}).encode() + b"\n")
        await writer.drain()
        writer.close()

    async def count(self) -> dict[str, Any]:
        """Return what was sent."""
        packets = 0
        for peer in self._peers:
            for sender in peer.getSenders():
                packets += sum(
                    one.packetsSent
                    for one in (await sender.getStats()).values()
                    if isinstance(one, RTCOutboundRtpStreamStats)
                )
        return {"packets_sent": packets, "frames": self.pacer.frames, "last": self.pacer.last}

    async def close(self) -> None:
        """End every view."""
        await asyncio.gather(*(peer.close() for peer in self._peers))


async def _serve(arguments: argparse.Namespace) -> None:
    aioice.ice.get_host_addresses = lambda **_: [arguments.address]
    server = Server(arguments.film)
    words = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(words), sys.stdin)
    listening = await asyncio.start_unix_server(server.answer, str(arguments.socket), limit=2**20)
    showing = asyncio.create_task(server.pacer.run())
    print(json.dumps({"ready": True}), flush=True)
    while line := (await words.readline()).decode().strip():
        server.pacer.paused = server.pacer.paused or line == "pause"
        print(json.dumps(await server.count()), flush=True)
    showing.cancel()
    listening.close()
    await server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m contest.aiortc_server", description=__doc__)
    parser.add_argument("--film", type=Path, required=True)
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--address", required=True, help="address to serve from")
    uvloop.run(_serve(parser.parse_args()))
