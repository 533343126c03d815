"""An operator's ten minutes with the demo, in a real browser."""

import time
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.conftest import PASSWORD, STRIP, USER, Running, Started, seen, sign_in
from tests.fakes.browser import PATIENCE_MS

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("demo")]

LIVE = 'article[data-state="live"]'

STRIPS = """
() => [...document.querySelectorAll('article[data-camera-number]')].map((tile) => {
  const strip = window.readStrip(tile.querySelector('video'));
  return {
    number: Number(tile.dataset.cameraNumber),
    read: strip?.number ?? null,
    ageMs: strip ? performance.timeOrigin + performance.now() - strip.wallMs : null,
    toldMs: Number(tile.dataset.ageMs),
  };
})
"""

SCENE = """
(number) => {
  const video = document.querySelector(`article[data-camera-number="${number}"] video`);
  const canvas = new OffscreenCanvas(64, 36);
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0, 64, 36);
  const data = context.getImageData(0, 4, 64, 28).data;
  return {strip: window.readStrip(video), pixels: Array.from(data).filter((_, at) => at % 4 === 1)};
}
"""


async def call_up(page: Page, number: int) -> None:
    """Type a camera's number, as operators do, in a wall of one."""
    await page.keyboard.press("Alt+1")
    for digit in str(number):
        await page.keyboard.press(digit)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(f'article[data-camera-number="{number}"]{LIVE[7:]}', timeout=PATIENCE_MS)
    await seen(
        page,
        '(n) => window.readStrip(document.querySelector(`article[data-camera-number="${n}"] video`))?.number === n',
        number,
    )


async def test_six_live_tiles(page: Page, demo: Running) -> None:
    """After signing in, six tiles live: each shows the camera it names, less than a second old, and says how old."""
    await sign_in(page, demo)
    await page.keyboard.press("Alt+9")
    await seen(
        page,
        f"() => document.querySelectorAll('{LIVE}').length === 6 && ({STRIPS})().every((tile) => tile.read !== null)",
    )
    # While six streams start at once a picture may be late for a moment; then all stay young together.
    young = f"""async () => {{
      for (let look = 0; look < 3; look += 1) {{
        if (!({STRIPS})().every((tile) => tile.ageMs < 1000 && tile.toldMs < 1000)) return false;
        await new Promise((done) => setTimeout(done, 300));
      }}
      return true;
    }}"""
    await seen(page, young, timeout_s=60)
    tiles: list[dict[str, Any]] = await page.evaluate(STRIPS)
    assert sorted(tile["number"] for tile in tiles) == [1, 2, 3, 4, 5, 6]
    assert all(tile["read"] == tile["number"] for tile in tiles)


async def test_steering_turns_the_picture(page: Page, demo: Running) -> None:
    """Holding an arrow key turns the head: the picture goes on, shows another scene, and the map's cone follows."""
    await sign_in(page, demo)
    await call_up(page, 3)
    before = await page.evaluate(SCENE, 3)
    bearing = await head_bearing(page, 3)
    cone = await page.get_attribute('[data-camera="3"]', "data-bearing")
    await page.keyboard.down("ArrowRight")
    # Held for as long as it takes: what a fixed time turns the head by depends on how soon the first step reached it.
    await seen(
        page,
        """async ([number, was]) => {
          const cameras = await (await fetch('/api/v1/cameras')).json();
          const head = cameras.find((camera) => camera.number === number).state.head;
          const turned = (((head?.bearing_deg ?? was) - was) % 360 + 360) % 360;
          return turned >= 20 && turned < 180;
        }""",
        [3, bearing],
    )
    await page.keyboard.up("ArrowRight")
    turned = (await head_bearing(page, 3) - bearing) % 360
    assert 20 <= turned < 180
    stood = await page.evaluate("Date.now()")
    await seen(
        page,
        '([n, stood]) => window.readStrip(document.querySelector(`article[data-camera-number="${n}"] video`))'
        "?.wallMs > stood",
        [3, stood],
    )
    after = await page.evaluate(SCENE, 3)
    assert after["strip"]["number"] == 3
    changed = sum(abs(a - b) for a, b in zip(before["pixels"], after["pixels"], strict=True)) / len(before["pixels"])
    assert changed > 8, f"the scene changed by {changed:.1f} grey levels after {turned:.0f} degrees"
    await seen(page, "(was) => document.querySelector('[data-camera=\"3\"]').dataset.bearing !== was", cone)
    await page.keyboard.press("Home")


async def head_bearing(page: Page, number: int) -> float:
    """Return where the API says the camera looks, once it stands."""
    return float(
        await page.evaluate(
            """async (number) => {
              for (let tries = 0; tries < 50; tries += 1) {
                const cameras = await (await fetch('/api/v1/cameras')).json();
                const head = cameras.find((camera) => camera.number === number).state.head;
                if (head && !head.moving) return head.bearing_deg;
                await new Promise((done) => setTimeout(done, 200));
              }
              throw new Error('the head never stood still');
            }""",
            number,
        )
    )


async def test_play_back_what_was_recorded(page: Page, demo: Running) -> None:
    """Thirty seconds back plays the same camera's recording of thirty seconds ago, and L is live again."""
    await sign_in(page, demo)
    await call_up(page, 2)
    await seen(
        page,
        """async () => {
          const cameras = await (await fetch('/api/v1/cameras')).json();
          const id = cameras.find((camera) => camera.number === 2).id;
          const end = Date.now(), iso = (ms) => new Date(ms).toISOString();
          const range = `start=${iso(end - 600000)}&end=${iso(end)}`;
          const {spans} = await (await fetch(`/api/v1/cameras/${id}/timeline?stream=main&${range}`)).json();
          return spans.length && end - Date.parse(spans[0].start) > 40000;
        }""",
        timeout_s=90,
    )
    await page.keyboard.press("r")
    await page.wait_for_selector('.timeline[data-mode="replay"]')
    await seen(
        page,
        "() => { const strip = window.readStrip(document.querySelector('article[data-camera-number=\"2\"] video'));"
        " return strip?.number === 2 && Date.now() - strip.wallMs > 15000; }",
    )
    first = await page.evaluate(SCENE, 2)
    age_s = time.time() - first["strip"]["wallMs"] / 1000  # noqa: TID251
    assert 15 < age_s < 60
    await seen(
        page,
        "(was) => window.readStrip(document.querySelector('article[data-camera-number=\"2\"] video'))"
        "?.wallMs > was + 1000",
        first["strip"]["wallMs"],
    )
    await page.keyboard.press("l")
    await page.wait_for_selector('.timeline[data-mode="live"]')
    await seen(
        page,
        "() => { const strip = window.readStrip(document.querySelector('article[data-camera-number=\"2\"] video'));"
        " return strip?.number === 2 && Date.now() - strip.wallMs < 2000; }",
    )


async def test_reload_keeps_the_session(page: Page, demo: Running) -> None:
    """After a reload nobody has to sign in again, and the pictures come back."""
    await sign_in(page, demo)
    await page.wait_for_selector(LIVE, timeout=PATIENCE_MS)
    await page.reload()
    await page.wait_for_selector(LIVE, timeout=PATIENCE_MS)


async def test_sign_out_ends_everything(page: Page, demo: Running) -> None:
    """Signing out shows the sign-in page, ends the pictures, and the cookie opens nothing any more."""
    await sign_in(page, demo)
    await page.wait_for_selector(LIVE, timeout=PATIENCE_MS)
    cookies = await page.context.cookies()
    await page.click("#sign-out")
    await page.wait_for_selector("#password")
    await expect(page.locator("video")).to_have_count(0)
    await page.context.add_cookies([{"name": c["name"], "value": c["value"], "url": demo.url} for c in cookies])
    assert (await page.request.get(f"{demo.url}/api/v1/cameras")).status == 401


async def test_phone_shows_a_live_picture(chromium: Browser, demo: Running) -> None:
    """At a phone's size the wall is usable: a live picture, nothing wider than the screen."""
    context = await chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    await context.add_init_script(STRIP)
    page = await context.new_page()
    await sign_in(page, demo)
    await page.wait_for_selector(LIVE, timeout=PATIENCE_MS)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await context.close()


async def test_first_run_makes_the_administrator(page: Page, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The one-time address of a first run makes the administrator, and an empty room says how to enrol a camera."""
    home = tmp_path_factory.mktemp("first")
    (home / "sightline.toml").write_text(
        f'[server]\nhost = "127.0.0.1"\nport = 0\nplain_http = true\ndata_dir = "{home / "data"}"\n'
        f'[[recording.disks]]\npath = "{home / "disk"}"\n'
    )
    started = Started("run", "--config", str(home / "sightline.toml"))
    try:
        running = started.wait()
        await page.goto(f"{running.url}/#setup={running.code}")
        assert await page.input_value("#setup-code") == running.code
        await page.fill("#setup-username", USER)
        await page.fill("#setup-password", PASSWORD)
        await page.fill("#setup-again", PASSWORD)
        await page.press("#setup-again", "Enter")
        await page.wait_for_selector('[data-wall="empty"]', timeout=PATIENCE_MS)
        assert "#setup" not in page.url
    finally:
        assert started.end() == 0
