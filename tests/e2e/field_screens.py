"""Take a picture of every step of a field team's work, as their phone shows it.

``python -m tests.e2e.field_screens [--out DIR] [--size 390x844]``
"""

import argparse
import asyncio
import json
import tempfile
from pathlib import Path

from playwright.async_api import expect

from drivers.simulator.device import Mount
from drivers.simulator.picture.painter import Painter
from drivers.simulator.town.town import Town, ground_geojson
from kernel.clock import SystemClock
from tests.e2e.field_street import Street, open_street
from tests.fakes.field_phone import FACING_EAST, FieldPhone


class Album:
    """Takes numbered pictures of a phone."""

    def __init__(self, phone: FieldPhone, out: Path) -> None:
        self._phone = phone
        self._out = out
        self._count = 0

    async def take(self, name: str, at: str = "") -> None:
        """Take one, with ``at`` in the middle; and say what on it is too small for a thumb in a glove."""
        self._count += 1
        page = self._phone.page
        await page.wait_for_timeout(600)
        if at:
            await page.locator(at).first.evaluate("one => one.scrollIntoView({ block: 'center' })")
        await page.screenshot(path=self._out / f"{self._count:02}-{name}-{self._phone.size[0]}.png")
        small = await page.evaluate(
            """() => [...document.querySelectorAll('button, .shoot, input, a')].filter((one) => one.offsetParent)
            .map((one) => [one, (one.closest('label') ?? one).getBoundingClientRect()])
            .filter(([, { height }]) => height > 0 && height < 48)
            .map(([one, { height }]) => `${one.tagName} ${one.id || one.textContent.trim().slice(0, 20)} ${height}`)"""
        )
        wide = await page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
        print(f"{self._count:02} {name}", *small, "wider than the phone" if wide else "")  # noqa: T201


async def _put_up(street: Street, phone: FieldPhone, album: Album) -> None:
    page = phone.page
    await album.take("list")
    await phone.tap("[data-deployment]")
    await album.take("unit")
    await phone.tap("[data-unit=D017]")
    await album.take("signs")
    await phone.shoot("#sign-photo", place=(51.6, -0.1))
    await phone.done("signs")
    await expect(page.locator("[data-accuracy='6']")).to_be_visible()
    await page.evaluate(FACING_EAST)
    await expect(page.locator(".notice")).to_be_visible()
    await album.take("remark")
    await page.get_by_role("button", name="Understood").tap()
    await album.take("place", "#field-map")
    await album.take("bearing", "#stands-here")
    await phone.lose()
    await phone.tap("#stands-here")
    await phone.done("place")
    await album.take("offline", "[data-part=photo]")
    await phone.shoot("#unit-photo")
    await phone.done("photo")
    await album.take("picture-offline", "[data-part=picture]")
    await phone.find()
    await street.says("state/battery", percent=17.0, volts=11.6, charging=False)


async def _confirm(phone: FieldPhone, album: Album) -> None:
    page = phone.page
    await expect(page.locator(".field-view")).to_have_attribute("data-state", "live")
    await album.take("picture", ".field-view")
    await phone.tap("#draw-zone")
    await phone.draw(".field-view", (0.55, 0.3, 0.9, 0.6))
    await album.take("zone", ".field-view")
    await page.fill("#zone-name", "Windows of number 12")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-zone]")).to_be_visible()
    await album.take("zones", "[data-zone]")
    await phone.tap("#fast")
    await album.take("sign-off", "#sign-off")
    await phone.tap("#sign-off")
    await expect(page.locator("[data-stage=deployed]")).to_be_visible()
    await phone.waits(0)


async def _take_down(phone: FieldPhone, album: Album) -> None:
    page = phone.page
    await album.take("list-standing")
    await phone.tap("[data-stage=deployed]")
    await album.take("standing")
    await phone.tap("#show-review")
    await album.take("review", "field-review")
    await phone.tap("#show-review")
    await phone.tap("[data-unit=D017]")
    await album.take("down", "#is-down")
    await phone.tap("#is-down")
    await phone.done("removal")
    await album.take("signs-down")
    await phone.lose()
    await page.get_by_role("button", name="Back").tap()
    await album.take("list-offline")


async def _all(out: Path, size: tuple[int, int]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    town = Town(seed=3, clock=SystemClock())
    site = town.sites(1)[0]
    mount = Mount(place=town.place(site), bearing_deg=site.bearing_deg)
    with tempfile.TemporaryDirectory() as folder:
        ground = Path(folder) / "ground.geojson"
        ground.write_text(json.dumps(ground_geojson(town)))
        place = {"latitude": mount.place.latitude_deg, "longitude": mount.place.longitude_deg}
        async with open_street(Path(folder), eye=Painter(town, mount), ground=ground, place=place) as street:
            await street.says("state/battery", percent=64.0, volts=12.6, charging=False)
            await street.says("state/signal", rsrp_dbm=-97, rsrq_db=-11, operator="EE", cell="1", technology="LTE")
            phone = await street.phone(size=size)
            album = Album(phone, out)
            await _put_up(street, phone, album)
            await _confirm(phone, album)
            await _take_down(phone, album)
            print(*phone.broken)  # noqa: T201


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("screenshots"))
    parser.add_argument("--size", default="390x844")
    given = parser.parse_args()
    width, _, height = given.size.partition("x")
    asyncio.run(_all(given.out, (int(width), int(height))))


if __name__ == "__main__":
    main()
