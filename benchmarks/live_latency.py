"""Age of the picture on the glass: the strip's capture time against now, in Chromium, one tile at 25 frames a second.

    python benchmarks/live_latency.py [--seconds 20] [--size 1280x720] [--frame-rate 25]

The strip is written before the picture is encoded, so drawing, the camera's encoder, RTSP, the gateway, SRTP, and
Chromium's jitter buffer, decoder and compositor are all in the figure. Camera, gateway and browser share one machine,
and so one clock. ``versus`` is libav decoding the camera's own stream in the same run, without gateway and browser.
"""

import argparse
import asyncio

from others import libav_ages, versus
from report import percentile, report
from stage import browser, signed_in, stage

WATCH = """
async (seconds) => {
  const video = document.querySelector('article[data-camera-number="1"] video');
  const ages = [];
  let unread = 0;
  const until = performance.now() + seconds * 1000;
  await new Promise((done) => {
    const look = () => {
      const strip = window.readStrip(video);
      if (strip && strip.number === 1) ages.push(performance.timeOrigin + performance.now() - strip.wallMs);
      else unread += 1;
      if (performance.now() < until) video.requestVideoFrameCallback(look);
      else done();
    };
    video.requestVideoFrameCallback(look);
    setTimeout(done, seconds * 1000 + 3000);
  });
  return {ages, unread, drift: Date.now() - performance.timeOrigin - performance.now()};
}
"""


async def measure(arguments: argparse.Namespace) -> None:
    """Watch one tile and report."""
    gop = round(2 * arguments.frame_rate)
    borough = ["--cameras", "1", "--size", arguments.size, "--frame-rate", str(arguments.frame_rate)]
    async with (
        stage(*borough, "--gop-frames", str(gop), "--bitrate-kbit", "4000", "--sub-size", "none") as at,
        browser() as chromium,
        signed_in(chromium, at) as page,
    ):
        await page.wait_for_selector('article[data-camera-number="1"][data-state="live"]', timeout=20_000)
        await page.keyboard.press("Alt+1")
        await page.wait_for_timeout(3000)
        seen = await page.evaluate(WATCH, arguments.seconds)
        await page.close()
        theirs = await libav_ages(at.sources[0], arguments.seconds / 3)
    if abs(seen["drift"]) > 2:
        raise RuntimeError(f"the browser's clock is {seen['drift']} ms off the machine's: ages would be wrong")
    ages = seen["ages"]
    if len(ages) < arguments.seconds * arguments.frame_rate / 2:
        raise RuntimeError(f"only {len(ages)} pictures were shown in {arguments.seconds} s")
    report(
        "live_latency",
        ["aiortc", "av"],
        age_ms_p50=percentile(ages, 0.5),
        age_ms_p95=percentile(ages, 0.95),
        age_ms_max=max(ages),
        versus=versus(percentile(ages, 0.5), libav_straight_from_the_camera=percentile(theirs, 0.5)),
        frames_shown=len(ages),
        strips_unread=seen["unread"],
        seconds=arguments.seconds,
        size=arguments.size,
        frame_rate=arguments.frame_rate,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--frame-rate", type=float, default=25)
    asyncio.run(measure(parser.parse_args()))
