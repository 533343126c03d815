"""`python -m contest.datagrams`: a camera that sends its RTP as datagrams, for servers that take nothing else.

The packets are those of the cheap camera over RTSP. Words on standard input: ``count``, ``pause``.
"""

import argparse
import asyncio
import json
import socket
import sys
from pathlib import Path

import uvloop
from cheap_cameras.film import Reel
from cheap_cameras.stored import load

from contest.pacer import Pacer

AT_ONCE = 16
PAUSE_S = 0.001
"""A keyframe goes out in pieces, as a line of some 150 Mbit/s would let it: at once it overruns a receive buffer."""


class Sender:
    """Sends the film to one address."""

    def __init__(self, film_path: Path, address: tuple[str, int], payload_bytes: int) -> None:
        film = load(film_path)
        self._reel = Reel(film, payload_bytes=payload_bytes)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(address)
        self._sending: set[asyncio.Task[None]] = set()
        self.pacer = Pacer(film, self._show)

    def _show(self, number: int) -> None:
        sending = asyncio.create_task(self._send(number))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)

    async def _send(self, number: int) -> None:
        data = self._reel.picture(number)
        starts = self._reel.pictures[number % len(self._reel)].packets
        for at, (start, end) in enumerate(zip(starts, (*starts[1:], len(data)), strict=True)):
            if at and at % AT_ONCE == 0:
                await asyncio.sleep(PAUSE_S)
            self._socket.send(data[start + 4 : end])


async def _serve(arguments: argparse.Namespace) -> None:
    host, _, port = arguments.to.rpartition(":")
    sender = Sender(arguments.film, (host, int(port)), arguments.payload_bytes)
    words = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(words), sys.stdin)
    showing = asyncio.create_task(sender.pacer.run())
    while line := (await words.readline()).decode().strip():
        sender.pacer.paused = sender.pacer.paused or line == "pause"
        print(json.dumps({"frames": sender.pacer.frames, "last": sender.pacer.last}), flush=True)
    showing.cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m contest.datagrams", description=__doc__)
    parser.add_argument("--film", type=Path, required=True)
    parser.add_argument("--to", required=True, metavar="HOST:PORT")
    parser.add_argument("--payload-bytes", type=int, default=1400)
    uvloop.run(_serve(parser.parse_args()))
