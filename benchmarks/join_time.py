"""Time from the click to the first decoded picture in Chromium, 1080p, a keyframe every two seconds.

    python benchmarks/join_time.py [--joins 20]

Two cameras take turns in a wall of one tile, called up by number as an operator does. The clock runs from the
Enter key's own time stamp to the first frame callback whose strip names the camera asked for. Joins come at random
moments of the GOP, so waiting for a keyframe would take a second at the median. ``versus`` is
libav opening the same camera's RTSP stream itself.
"""

import argparse
import asyncio
import random

from others import libav_joins, versus
from report import percentile, report
from stage import browser, signed_in, stage

ARM = """
(number) => {
  window.joined = new Promise((done, failed) => {
    let clicked = 0;
    let over = false;
    const press = (event) => { if (event.key === 'Enter') clicked = event.timeStamp; };
    addEventListener('keydown', press, {capture: true});
    const watched = new WeakSet();
    const timeout = setTimeout(() => failed(new Error('no picture of camera ' + number + ' within 10 s')), 10000);
    const seek = () => {
      // While a camera is called up the tile holds two: the old picture until the new one has its first frame.
      for (const video of document.querySelectorAll(`article[data-camera-number="${number}"] video`)) {
        if (watched.has(video)) continue;
        watched.add(video);
        const look = () => {
          if (over) return;
          const shown = performance.now();
          const strip = window.readStrip(video);
          if (clicked && strip && strip.number === number) {
            clearTimeout(timeout);
            over = true;
            removeEventListener('keydown', press, {capture: true});
            done({joinMs: shown - clicked, ageMs: performance.timeOrigin + shown - strip.wallMs});
          } else video.requestVideoFrameCallback(look);
        };
        video.requestVideoFrameCallback(look);
      }
      if (!over) requestAnimationFrame(seek);
    };
    seek();
  });
}
"""


async def measure(arguments: argparse.Namespace) -> None:
    """Call cameras up and report."""
    joins: list[float] = []
    ages: list[float] = []
    rng = random.Random(7)  # noqa: S311 - moments, not secrets
    gop_s = 2.0
    async with (
        stage(
            *("--cameras", "2", "--size", "1920x1080", "--frame-rate", "12.5", "--gop-frames", "25"),
            *("--bitrate-kbit", "4000", "--sub-size", "none"),
        ) as at,
        browser() as chromium,
        signed_in(chromium, at) as page,
    ):
        await page.wait_for_selector('article[data-state="live"]', timeout=20_000)
        await page.keyboard.press("Alt+1")
        await page.wait_for_timeout(2000)
        for join in range(arguments.joins):
            number = 2 - join % 2
            await page.wait_for_timeout(200 + rng.random() * gop_s * 500)
            await page.evaluate(ARM, number)
            await page.keyboard.press(str(number))
            await page.keyboard.press("Enter")
            got = await page.evaluate("window.joined")
            joins.append(got["joinMs"])
            ages.append(got["ageMs"])
        await page.close()
        theirs = await libav_joins(at.sources[0], 5)
    report(
        "join_time",
        ["aiortc", "av"],
        join_ms_p50=percentile(joins, 0.5),
        join_ms_p95=percentile(joins, 0.95),
        join_ms_max=max(joins),
        versus=versus(percentile(joins, 0.5), libav_straight_from_the_camera=percentile(theirs, 0.5)),
        first_age_ms_p50=percentile(ages, 0.5),
        joins=len(joins),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--joins", type=int, default=16)
    asyncio.run(measure(parser.parse_args()))
