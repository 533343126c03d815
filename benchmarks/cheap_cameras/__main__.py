"""`python -m cheap_cameras`: prints one JSON line when it serves, then answers questions on standard input.

Each question is one word, each answer one JSON line: ``counts``, ``pause`` (and wait until clients have taken all that
was sent), ``resume``, ``drop`` (break every connection). The end of standard input ends it.
"""

import argparse
import json
import os
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cheap_cameras.film import Reel, Shape, make_film
from cheap_cameras.server import Server
from cheap_cameras.stored import load


def main() -> None:
    """Make the film and serve it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--frame-rate", type=float, default=25.0)
    parser.add_argument("--gop-frames", type=int, default=50)
    parser.add_argument("--kbit", type=float, default=4000.0, help="rate of one camera in 10^3 bits a second")
    parser.add_argument("--payload-bytes", type=int, default=1400, help="largest RTP payload")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--film", type=Path, help="show what stored.save() wrote to this file, and code nothing")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    width, _, height = options.size.partition("x")
    shape = Shape(
        width=int(width),
        height=int(height),
        frame_rate=options.frame_rate,
        gop_frames=options.gop_frames,
        kbit_s=options.kbit,
    )
    film = load(options.film) if options.film else make_film(shape)
    shape = film.shape
    reel = Reel(film, payload_bytes=options.payload_bytes)
    server = Server(reel, port=options.port)
    _tell(
        {
            "port": server.port,
            "pid": os.getpid(),
            "kbit_s": round(film.kbit_s, 1),
            "packets_s": round(reel.packets * shape.frame_rate / len(reel), 1),
            "keyframe_bytes": max(len(picture.data) for picture in reel.pictures if picture.keyframe),
        }
    )
    unread = b""

    def asked() -> None:
        nonlocal unread
        data = os.read(0, 4096)
        if not data:
            server.close()
        *lines, unread = (unread + data).split(b"\n")
        for line in lines:
            _tell(_answer(server, line.decode().strip()))

    server.listen_to(0, asked)
    server.run()


def _answer(server: Server, question: str) -> dict[str, Any]:
    if question == "pause":
        server.paused = True
    elif question == "resume":
        server.resume()
    elif question == "drop":
        server.drop_all()
    elif question != "counts":
        return {"error": f"there is no question {question!r}"}
    used = resource.getrusage(resource.RUSAGE_SELF)
    late = sorted(server.late_ms)
    return {
        "cameras": {camera: asdict(account) for camera, account in server.accounts.items()},
        "backlog_bytes": server.backlog_bytes,
        "late_ms_p99": round(late[int(len(late) * 0.99)], 2) if late else None,
        "late_ms_max": round(late[-1], 2) if late else None,
        "cpu_s": used.ru_utime + used.ru_stime,
    }


def _tell(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
