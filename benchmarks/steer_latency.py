"""Time from the browser's key event to the request at the camera, for turning and for stopping.

    python benchmarks/steer_latency.py [--presses 60]

The clock runs from the event's own time stamp in Chromium, over the WebSocket, the gateway, the host's socket and the
head's controller, to the arrival of ContinuousMove (key down) and Stop (key up) at the simulated camera. ``versus`` is
a bare onvif-zeep-async client's ContinuousMove in the same run, from the call to the arrival.
"""

import argparse
import asyncio
import time
from typing import Any

from others import bare_moves, versus
from playwright.async_api import Page
from report import percentile, report
from stage import Stage, browser, signed_in, stage

LISTEN = """
() => {
  window.pressed = [];
  for (const kind of ['keydown', 'keyup'])
    addEventListener(kind, (event) => {
      if (event.key === 'ArrowRight' && !event.repeat)
        window.pressed.push({kind, atMs: performance.timeOrigin + event.timeStamp});
    }, {capture: true});
}
"""


async def press(page: Page, at: Stage, hold_ms: float) -> dict[str, float]:
    """Press and release once; return the latency of each request that came, in ms."""
    monotonic_to_wall_ms = (time.time_ns() - time.monotonic_ns()) / 1e6
    before_ns = time.monotonic_ns()
    await page.evaluate("window.pressed.length = 0")
    await page.keyboard.down("ArrowRight")
    await page.wait_for_timeout(hold_ms)
    await page.keyboard.up("ArrowRight")
    await page.wait_for_timeout(450)
    events = {event["kind"]: event["atMs"] for event in await page.evaluate("window.pressed")}
    answer = await at.ask_borough({"query": "requests", "number": 1})
    requests: list[dict[str, Any]] = [one for one in answer["requests"] if one["monotonic_ns"] > before_ns]
    found = {}
    for kind, name in (("keydown", "ContinuousMove"), ("keyup", "Stop")):
        arrivals = [one["monotonic_ns"] / 1e6 + monotonic_to_wall_ms for one in requests if one["name"] == name]
        late = [arrival - events[kind] for arrival in arrivals if arrival >= events[kind] - 1]
        if late:
            found[name] = min(late)
    return found


async def bare(at: Stage) -> list[float]:
    """Return the latencies in ms of the library's own ContinuousMove, from the call to the request's arrival."""
    spans = await bare_moves(at.sources[0], 20)
    answer = await at.ask_borough({"query": "requests", "number": 1})
    arrivals = [one["monotonic_ns"] for one in answer["requests"] if one["name"] == "ContinuousMove"]
    return [(arrival - began) / 1e6 for began, ended in spans for arrival in arrivals if began <= arrival <= ended]


async def measure(arguments: argparse.Namespace) -> None:
    """Press again and again, and report."""
    moves: list[float] = []
    stops: list[float] = []
    async with (
        stage("--cameras", "1", "--size", "1280x720") as at,
        browser() as chromium,
        signed_in(chromium, at) as page,
    ):
        await page.wait_for_selector('article[data-camera-number="1"][data-state="live"]', timeout=20_000)
        await page.wait_for_timeout(2000)
        await page.evaluate(LISTEN)
        drift = await page.evaluate("Date.now() - performance.timeOrigin - performance.now()")
        if abs(drift) > 2:
            raise RuntimeError(f"the browser's clock is {drift} ms off the machine's: times would be wrong")
        await press(page, at, 300)  # takes the stick
        for turn in range(arguments.presses):
            found = await press(page, at, 250 + 13 * (turn % 7))
            moves += [found["ContinuousMove"]] if "ContinuousMove" in found else []
            stops += [found["Stop"]] if "Stop" in found else []
        theirs = await bare(at)
    latencies = moves + stops
    if missing := 2 * arguments.presses - len(latencies):
        raise RuntimeError(f"{missing} of {2 * arguments.presses} requests never reached the camera")
    report(
        "steer_latency",
        ["aiohttp", "websockets"],
        steer_ms_p50=percentile(latencies, 0.5),
        steer_ms_p99=percentile(latencies, 0.99),
        steer_ms_max=max(latencies),
        versus=versus(percentile(moves, 0.5), onvif_zeep_async_alone=percentile(theirs, 0.5)),
        move_ms_p50=percentile(moves, 0.5),
        stop_ms_p50=percentile(stops, 0.5),
        requests=len(latencies),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--presses", type=int, default=40)
    asyncio.run(measure(parser.parse_args()))
