"""How much of a core the simulated borough takes: six cameras at 640x360 and 12.5 frames a second, all encoded.

Run as ``python benchmarks/simulate.py [--cameras 6] [--size 640x360] [--seconds 12]``. The borough runs in
a process of its own; a player of raw RTSP (one per camera, in this process) makes it encode, and its CPU time is read
from /proc over the time of measuring.
"""

import argparse
import json
import os
import platform
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL

ROOT = Path(__file__).resolve().parent.parent
TICKS_S = os.sysconf("SC_CLK_TCK")
WARM_UP_S = 6.0


def machine() -> dict[str, Any]:
    """Return what this runs on."""
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.processor())  # fmt: skip
    return {"cores": os.cpu_count(), "cpu": model, "kernel": platform.release()}


def cpu_s(pid: int) -> float:
    """Return user and system CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_S


class Player(threading.Thread):
    """Plays one stream over interleaved TCP and counts its pictures by their RTP markers."""

    def __init__(self, url: str, username: str, password: str) -> None:
        super().__init__(daemon=True)
        parts = urllib.parse.urlsplit(url)
        self.url, self.username, self.password = url, username, password
        self.socket = socket.create_connection((parts.hostname or "", parts.port or 554), timeout=20)
        self.file = self.socket.makefile("rb")
        self.count = 0
        self.bytes = 0
        self.sequence = 0
        self.challenge: dict[str, str] = {}

    def ask(self, method: str, url: str, **headers: str) -> dict[str, str]:
        """Return the answer's headers, with the body under ``body``; authenticates once."""
        for _ in range(2):
            self.sequence += 1
            lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self.sequence}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            if self.challenge:
                realm, nonce = self.challenge["realm"], self.challenge["nonce"]
                ha1 = md5(f"{self.username}:{realm}:{self.password}".encode()).hexdigest()  # noqa: S324 - RFC 2617
                ha2 = md5(f"{method}:{url}".encode()).hexdigest()  # noqa: S324 - RFC 2617
                proof = md5(f"{ha1}:{nonce}:{ha2}".encode()).hexdigest()  # noqa: S324 - RFC 2617
                lines.append(
                    f'Authorization: Digest username="{self.username}", realm="{realm}", nonce="{nonce}",'
                    f' uri="{url}", response="{proof}"'
                )
            self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            status = self.file.readline().decode()
            answer: dict[str, str] = {}
            while line := self.file.readline().decode().strip():
                name, _, value = line.partition(":")
                if not (name.lower() == "www-authenticate" and "md5" not in value.lower() and name.lower() in answer):
                    answer[name.lower()] = value.strip()
            answer["body"] = self.file.read(int(answer.get("content-length", "0"))).decode()
            if " 401 " in status:
                fields = answer["www-authenticate"].partition(" ")[2]
                self.challenge = {
                    part.partition("=")[0].strip(): part.partition("=")[2].strip().strip('"')
                    for part in fields.split(",")
                }
                continue
            if " 200 " not in status:
                raise RuntimeError(f"{method} {url}: {status.strip()}")
            return answer
        raise RuntimeError(f"{method} {url}: not let in")

    def start_playing(self) -> None:
        """Set up the video track and play it."""
        description = self.ask("DESCRIBE", self.url, Accept="application/sdp")
        base = description.get("content-base", self.url).rstrip("/")
        video = description["body"].partition("m=video")[2].partition("\nm=")[0]
        control = next(line[10:].strip() for line in video.splitlines() if line.startswith("a=control:"))
        track = control if control.startswith("rtsp:") else f"{base}/{control}"
        setup = self.ask("SETUP", track, Transport="RTP/AVP/TCP;unicast;interleaved=0-1")
        self.ask("PLAY", self.url, Session=setup["session"].partition(";")[0])
        self.start()

    def run(self) -> None:
        """Read packets until the connection ends."""
        try:
            while head := self.file.read(4):
                size = int.from_bytes(head[2:4], "big")
                packet = self.file.read(size)
                if head[1] == 0:
                    self.bytes += size
                    self.count += packet[1] >> 7
        except (OSError, ValueError, IndexError):
            return


@contextmanager
def borough(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", list[dict[str, Any]]]]:
    """Run the simulated borough in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "drivers.simulator", "--json", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError("The simulated borough did not start.")
            yield process, json.loads(line)["cameras"]
        finally:
            process.terminate()


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Play every camera and return what that cost."""
    arguments = ["--cameras", str(options.cameras), "--size", options.size, "--sub-size", "none",
                 "--frame-rate", str(options.frame_rate), "--codec", options.codec]  # fmt: skip
    with borough(*arguments) as (process, cameras):
        players = [Player(camera["main_url"], camera["username"], camera["password"]) for camera in cameras]
        for player in players:
            player.start_playing()
        time.sleep(WARM_UP_S)
        before, began = cpu_s(process.pid), time.monotonic()
        counted, moved = sum(player.count for player in players), sum(player.bytes for player in players)
        time.sleep(options.seconds)
        took, lasted = cpu_s(process.pid) - before, time.monotonic() - began
        frames = sum(player.count for player in players) - counted
        moved = sum(player.bytes for player in players) - moved
    if frames < 0.5 * options.cameras * options.frame_rate * lasted:
        raise RuntimeError(f"Only {frames} pictures came in {lasted:.1f} s: the machine is too busy to measure on.")
    return {
        "cameras": options.cameras,
        "size": options.size,
        "codec": options.codec,
        "frame_rate": options.frame_rate,
        "frames": frames,
        "frames_expected": round(options.cameras * options.frame_rate * lasted),
        "kbit_s_per_camera": round(moved * 8 / lasted / 1000 / options.cameras),
        "cpu_percent_total": round(100 * took / lasted, 1),
        "ms_per_frame": round(1000 * took / frames, 2),
    }


def main() -> int:
    """Measure, print a table, and the JSON last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=6)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--codec", default="h264")
    parser.add_argument("--frame-rate", type=float, default=12.5)
    parser.add_argument("--seconds", type=float, default=12.0)
    options = parser.parse_args()
    try:
        result = measure(options)
    except (RuntimeError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for key, value in result.items():
        print(f"{key:20} {value}")
    versions = {
        "python": platform.python_version(),
        "av": av.__version__,
        "numpy": np.__version__,
        "pillow": PIL.__version__,
    }
    print(json.dumps({"benchmark": "simulate", "machine": machine(), "versions": versions, **result}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
