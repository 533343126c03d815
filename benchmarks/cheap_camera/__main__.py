"""Serve streams until standard input ends.

First line out: ``{"urls": [...], "mbit_s": ..., "frame_rate": 25, "gop_frames": 50, "pictures": 100}``. Then each word
on a line of standard input is answered by one line of JSON, ``{"frames": ..., "dropped": ..., "late_ms": ...,
"streams": [{"stream", "frames", "dropped", "connections", "last"}, ...]}``:

``count``   what was sent so far;
``stop``    no more pictures from now on; each stream ends with a whole one, and its connection stays open.
"""

import argparse
import asyncio
import json
import socket
import sys
from pathlib import Path

import uvloop

from .reel import GOP_FRAMES, GOPS, HEIGHT, WIDTH, Reel, make
from .server import Camera, Connection


async def _serve(arguments: argparse.Namespace) -> None:
    reel = (
        Reel.load(arguments.reel)
        if arguments.reel
        else make(
            arguments.mbit,
            width=arguments.width,
            height=arguments.height,
            gops=arguments.gops,
            gop_frames=arguments.gop_frames,
        )
    )
    camera = Camera(reel, arguments.streams, packet_bytes=arguments.packet_bytes)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(camera), arguments.host, arguments.port, backlog=2048)
    host, port = server.sockets[0].getsockname()[:2]
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for text in arguments.rtp_to:
        address, _, number = text.rpartition(":")
        camera.phases[0].sockets.append((datagrams, (address, int(number))))
    sending = asyncio.create_task(camera.run())
    facts = {
        "urls": [f"rtsp://{host}:{port}/{stream.number}" for stream in camera.streams],
        "mbit_s": round(reel.mbit_s, 3),
        "frame_rate": reel.frame_rate,
        "gop_frames": reel.gop_frames,
        "pictures": len(reel.pictures),
    }
    print(json.dumps(facts), flush=True)
    words = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(words), sys.stdin)
    asking = asyncio.create_task(_answer(words, camera))
    await asyncio.wait([asking, sending], return_when=asyncio.FIRST_COMPLETED)
    for task in (asking, sending):
        if task.done():
            task.result()
        task.cancel()
    server.close()
    datagrams.close()


async def _answer(words: asyncio.StreamReader, camera: Camera) -> None:
    while line := await words.readline():
        match line.decode().strip():
            case "stop":
                camera.running = False
            case "count":
                pass
            case word:
                sys.stderr.write(f"The cheap camera knows 'count' and 'stop', not {word!r}.\n")
                continue
        print(json.dumps(camera.counts()), flush=True)


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cheap_camera", description=__doc__)
    parser.add_argument("--streams", type=int, default=1)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--mbit", type=float, default=4.0, help="rate of the H.264, Mbit/s")
    parser.add_argument("--packet-bytes", type=int, default=1400, help="most that an RTP packet takes, with its header")
    parser.add_argument("--width", type=int, default=WIDTH)
    parser.add_argument("--height", type=int, default=HEIGHT)
    parser.add_argument("--gops", type=int, default=GOPS, help="how many GOPs the loop has")
    parser.add_argument("--gop-frames", type=int, default=GOP_FRAMES)
    parser.add_argument("--reel", type=Path, help="take the pictures from this file (Reel.save) and encode none")
    parser.add_argument("--rtp-to", action="append", default=[], metavar="HOST:PORT", help="send stream 0 by UDP too")
    uvloop.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
