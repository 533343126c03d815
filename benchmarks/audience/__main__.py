"""`python -m audience`: viewers of one server, told what to do by words on standard input, each answered in JSON.

``join``    connect all of them: ``{"viewers": 16, "srtp": "..."}``;
``count``   what they got so far: sums, and each viewer's newest picture;
``finish``  the same, after one of them has decoded the newest pictures that it got.

The end of standard input ends it. Anything that goes wrong is ``{"error": "..."}``.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import av
import uvloop
from cheap_cameras.stored import load, picture_sums

from audience.assembly import Tally, decodable
from audience.signalling import signalling
from audience.viewer import Viewer, serve_from

AT_ONCE = 4
JOIN_S = 20.0


class Audience:
    """Every viewer of one server."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        film = load(arguments.film)
        sums = {sum_: index for index, sum_ in enumerate(picture_sums(film))}
        self._arguments = arguments
        self._viewers = [
            Viewer(sums, gop_frames=film.shape.gop_frames, keep=number == 0, srtp=arguments.srtp)
            for number in range(arguments.viewers)
        ]

    async def join(self) -> dict[str, Any]:
        """Connect everybody, a few at once."""
        options, gate = self._arguments, asyncio.Semaphore(AT_ONCE)
        async with signalling(
            options.server, options.target, camera=options.camera, address=options.address
        ) as way:  # fmt: skip

            async def one(number: int, viewer: Viewer) -> None:
                async with gate, asyncio.timeout(JOIN_S):
                    await way.join(viewer, number)

            async with asyncio.TaskGroup() as group:
                for number, viewer in enumerate(self._viewers):
                    group.create_task(one(number, viewer))
        return {"viewers": len(self._viewers), "srtp": ", ".join(sorted({viewer.srtp for viewer in self._viewers}))}

    def count(self) -> dict[str, Any]:
        """Return sums over all viewers."""
        checks = [viewer.assembly for viewer in self._viewers if viewer.assembly is not None]
        tallies = [check.tally for check in checks]
        sizes: Counter[int] = Counter()
        for tally in tallies:
            sizes.update(tally.sizes)
        sums = {name: sum(getattr(tally, name) for tally in tallies) for name in asdict(Tally()) if name != "sizes"}
        return {
            **sums,
            "incomplete": sum(tally.incomplete for tally in tallies),
            "sizes": sizes.most_common(1),
            "newest": [check.newest for check in checks],
        }

    def finish(self) -> dict[str, Any]:
        """Return the sums, and how many pictures of one viewer a decoder made pictures of."""
        check = self._viewers[0].assembly
        given, decoded = decodable(check.kept, _decode) if check is not None and check.kept is not None else (0, 0)
        return {**self.count(), "decode_given": given, "decoded": decoded}

    async def close(self) -> None:
        """Leave, all of them."""
        await asyncio.gather(*(viewer.close() for viewer in self._viewers))


def _decode(stream: bytes) -> int:
    """Return how many pictures are decoded; a damaged one is an error (libav's err_detect=explode)."""
    decoder = av.CodecContext.create("h264", "r")
    decoder.options = {"err_detect": "explode"}
    pictures = 0
    for packet in [*decoder.parse(stream), *decoder.parse(None)]:
        pictures += len(decoder.decode(packet))
    return pictures + len(decoder.decode(None))


async def _serve(arguments: argparse.Namespace) -> None:
    serve_from(arguments.address)
    words = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(words), sys.stdin)
    audience = Audience(arguments)
    try:
        while line := await words.readline():
            print(json.dumps(await _answer(audience, line.decode().strip())), flush=True)
    finally:
        await audience.close()


async def _answer(audience: Audience, word: str) -> dict[str, Any]:
    try:
        match word:
            case "join":
                return await audience.join()
            case "count":
                return audience.count()
            case "finish":
                return audience.finish()
            case _:
                return {"error": f"there is no word {word!r}"}
    except (ExceptionGroup, OSError, TimeoutError, av.FFmpegError) as error:
        causes = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
        return {"error": "; ".join(sorted({f"{type(cause).__name__}: {cause}" for cause in causes}))}


def main() -> None:
    """Read the command line and watch."""
    parser = argparse.ArgumentParser(prog="python -m audience", description=__doc__)
    parser.add_argument("--film", type=Path, required=True, help="what the camera shows (cheap_cameras.stored)")
    parser.add_argument("--viewers", type=int, default=16)
    parser.add_argument("--server", choices=("sightline", "aiortc", "janus"), required=True)
    parser.add_argument("--target", required=True, help="socket or address of its signalling")
    parser.add_argument("--camera", default="1", help="camera, or Janus's mountpoint")
    parser.add_argument("--address", required=True, help="address the viewers have")
    parser.add_argument("--srtp", choices=("any", "gcm", "cm"), default="any", help="ciphers the viewers know")
    uvloop.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
