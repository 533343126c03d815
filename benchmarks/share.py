"""A hundred partners watch by ten shares: how soon all see, and how fast one key blinds them all.

    python benchmarks/share.py [--viewers 100] [--shares 10] [--cameras 2]

The real gateway and the simulated borough run in processes of their own; the viewers, in this one, are aiortc's ICE and
DTLS, come over WHEP with the cookies of partners who have enrolled, and note when each packet of media reached them.

``join_all_s`` is from the first offer to the moment when every viewer has had media. ``revoke_ms_p99`` is from before
the call that ends all shares is sent to each viewer's last packet: the slowest but one in a hundred. Afterwards nobody
may get a packet more, or nothing is reported. ``versus``: ``one_by_one`` is the same end by closing each view by its
own address, one after the other, as a room would without it.
"""

import argparse
import asyncio
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import httpx
import pyotp
from aiortc.sdp import SessionDescription
from audience.viewer import Viewer, serve_from
from report import percentile, report
from stage import PASSWORD, Stage, stage

JOIN_S = 30.0
WATCH_S = 2.0
JOIN_S, REVOKE_MS = 10, 500
"""What is promised of a hundred viewers by ten shares."""
SILENCE_S = 1.5
"""After the end: whoever gets a packet in the last second of this was not cut off."""
AT_ONCE = 8


@dataclass(slots=True)
class Arrivals:
    """Stands where ``audience.assembly`` does: when packets came, and what a receiver report needs."""

    source: int | None = None
    highest: int = 0
    packets: int = 0
    first_s: float | None = None
    last_s: float = 0.0
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    tally: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(lost=0))

    def packet(self, data: bytes, _now_s: float) -> None:
        """Take a decrypted packet."""
        now_s = time.monotonic()
        if self.first_s is None:
            self.source, self.first_s = int.from_bytes(data[8:12], "big"), now_s
            self.begun.set()
        self.highest = int.from_bytes(data[2:4], "big")
        self.packets += 1
        self.last_s = now_s

    def missing(self, _now_s: float) -> list[int]:
        """Nothing is asked for again: this is about beginnings and ends."""
        return []


class Partner(Viewer):
    """A viewer who notes only when packets come."""

    def __init__(self) -> None:
        super().__init__({}, gop_frames=1, keep=False, srtp="any")
        self.arrivals = Arrivals()

    def _await_stream(self, kind: int, rtx: int | None) -> None:
        del kind, rtx
        self.assembly = self.arrivals  # type: ignore[assignment]


@dataclass(slots=True)
class View:
    """One viewer with their browser, and where their view is."""

    browser: httpx.AsyncClient
    viewer: Partner
    address: str = ""


async def enrolled(at: Stage, count: int, stack: AsyncExitStack) -> tuple[str, list[tuple[str, httpx.AsyncClient]]]:
    """Make an organisation with so many people; return it, and each with their browser."""
    made = (await at.api.post("/api/v1/organisations", json={"name": "Police"})).raise_for_status().json()["id"]
    people = []
    for number in range(count):
        wish = {"username": f"pc.{number}", "name": f"PC {number}"}
        asked = await at.api.post(f"/api/v1/organisations/{made}/invitations", json=wish)
        headers = {"X-Sightline": "1", "Origin": at.url}
        limits = httpx.Limits(max_connections=AT_ONCE)
        browser = await stack.enter_async_context(
            httpx.AsyncClient(base_url=at.url, headers=headers, timeout=60, limits=limits)
        )
        body = {"code": asked.raise_for_status().json()["code"], "password": PASSWORD}
        user = (await browser.post("/api/v1/enrolment", json=body)).raise_for_status().json()["user"]["id"]
        offer = (await browser.post("/api/v1/session/factors/totp")).raise_for_status().json()
        proof = {"ticket": offer["ticket"], "code": pyotp.TOTP(offer["secret"]).now()}
        (await browser.put("/api/v1/session/factors/totp", json=proof)).raise_for_status()
        version = (await browser.get("/api/v1/terms")).raise_for_status().json()["version"]
        (await browser.post("/api/v1/terms", json={"version": version})).raise_for_status()
        people.append((user, browser))
    return made, people


async def joined(
    at: Stage, organisation: str, people: list[tuple[str, httpx.AsyncClient]], viewers: int
) -> tuple[list[View], float]:
    """Share a camera with each, let all of them watch, and return the views and how long it took in seconds."""
    views: list[View] = []
    cameras: list[str] = []
    each = -(-viewers // len(people))
    for number, (user, browser) in enumerate(people):
        camera = str(at.cameras[number % len(at.cameras)]["id"])
        body = {"organisation": organisation, "recipients": [user], "cameras": [camera], "viewer_limit": each}
        (await at.api.post("/api/v1/shares", json=body)).raise_for_status()
        mine = min(each, viewers - len(views))
        views += [View(browser, Partner()) for _ in range(mine)]
        cameras += [camera] * mine
    gate = asyncio.Semaphore(AT_ONCE)

    async def join(view: View, camera: str) -> None:
        async with gate:
            answer = await view.browser.post(
                f"/whep/{camera}/main",
                content=(await view.viewer.local()).encode(),
                headers={"Content-Type": "application/sdp"},
            )
            if answer.is_error:
                raise RuntimeError(f"A view was refused: {answer.text}")
            view.address = answer.headers["location"]
            await view.viewer.connect(SessionDescription.parse(answer.text), offered=True)

    began_s = time.monotonic()
    async with asyncio.timeout(JOIN_S), asyncio.TaskGroup() as group:
        for view, camera in zip(views, cameras, strict=True):
            group.create_task(join(view, camera))
    async with asyncio.timeout(JOIN_S):
        await asyncio.gather(*(view.viewer.arrivals.begun.wait() for view in views))
    took_s = max(view.viewer.arrivals.first_s or 0.0 for view in views) - began_s
    await asyncio.sleep(WATCH_S)
    late = [view for view in views if time.monotonic() - view.viewer.arrivals.last_s > 1.0]
    if late:
        raise RuntimeError(f"{len(late)} of {len(views)} viewers got nothing in the last second before the end.")
    return views, took_s


async def ended(views: list[View], began_s: float) -> list[float]:
    """Return when each viewer's last packet came, in ms from ``began_s``.

    Raises:
        RuntimeError: somebody goes on getting packets.
    """
    await asyncio.sleep(SILENCE_S)
    after_s = time.monotonic()
    watching = sum(after_s - view.viewer.arrivals.last_s < 1.0 for view in views)
    if watching:
        raise RuntimeError(f"{watching} viewers still got pictures after the end.")
    # Whose last packet came before the call was cut off within one picture of it.
    return [max(0.0, (view.viewer.arrivals.last_s - began_s) * 1000) for view in views]


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure both ends."""
    borough = ("--cameras", str(options.cameras), "--size", "640x360", "--frame-rate", "12.5", "--sub-size", "none")
    async with AsyncExitStack() as stack:
        at = await stack.enter_async_context(stage(*borough, "--bitrate-kbit", str(options.kbit), "--gop-frames", "25"))
        organisation, people = await enrolled(at, options.shares, stack)

        views, join_s = await joined(at, organisation, people, options.viewers)
        began_s = time.monotonic()
        (await at.api.delete("/api/v1/shares")).raise_for_status()
        answered_s = time.monotonic() - began_s
        ours = await ended(views, began_s)
        packets = sum(view.viewer.arrivals.packets for view in views)
        await asyncio.gather(*(view.viewer.close() for view in views))

        views, _ = await joined(at, organisation, people, options.viewers)
        began_s = time.monotonic()
        for view in views:
            (await view.browser.delete(view.address)).raise_for_status()
        theirs = await ended(views, began_s)
        await asyncio.gather(*(view.viewer.close() for view in views))
    value = percentile(theirs, 0.99)
    return {
        "viewers": options.viewers,
        "shares": options.shares,
        "join_all_s": round(join_s, 2),
        "revoke_ms_p99": round(percentile(ours, 0.99), 1),
        "revoke_ms_p50": round(percentile(ours, 0.5), 1),
        "revoke_answer_ms": round(answered_s * 1000, 1),
        "packets": packets,
        "stream_kbit_s": options.kbit,
        "versus": {
            "one_by_one": {"value": round(value, 1), "ratio": round(percentile(ours, 0.99) / value, 3)}
            if value
            else {"value": value, "ratio": None}
        },
    }


def main() -> int:
    """Read the command line, measure and report; what went wrong is a sentence."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=int, default=100)
    parser.add_argument("--shares", type=int, default=10)
    parser.add_argument("--cameras", type=int, default=2)
    parser.add_argument("--kbit", type=int, default=500, help="rate of each camera's H.264")
    serve_from("127.0.0.1")
    try:
        figures = asyncio.run(measure(parser.parse_args()))
    except (RuntimeError, OSError, TimeoutError, httpx.HTTPError, ExceptionGroup) as error:
        sys.stderr.write(f"Nothing was measured: {error!r}\n")
        return 1
    report("share", ["aiortc", "uvicorn"], **figures)
    if figures["join_all_s"] > JOIN_S or figures["revoke_ms_p99"] > REVOKE_MS:
        sys.stderr.write(f"Too slow: all are to join within {JOIN_S} s, and to see the last within {REVOKE_MS} ms.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
