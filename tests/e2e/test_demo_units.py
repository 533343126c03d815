"""The demo's three deployable units, as a newcomer finds them."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Page

from tests.e2e.conftest import Running, demonstrated, seen, sign_in

pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("demo")]

UNITS = """async () => {
  const {units, refusals} = await (await fetch('/api/v1/units')).json();
  const deployments = await (await fetch('/api/v1/deployments')).json();
  const cameras = await (await fetch('/api/v1/cameras')).json();
  return {units, refusals, deployments, cameras};
}"""
RECORDED = f"""async (count) => {{
  const {{units, cameras}} = await ({UNITS})();
  const theirs = cameras.filter(({{id}}) => units.some((unit) => unit.cameras.includes(id)));
  return theirs.filter(({{state}}) => state.recording.main).length === count;
}}"""
NUMBERS = """() => [...document.querySelectorAll('article[data-state="live"]')]
  .map((tile) => window.readStrip(tile.querySelector('video'))?.number ?? null).sort().join()"""


@pytest.fixture
def with_units(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a demo with one camera, and the units that it has by default."""
    with demonstrated(tmp_path_factory.mktemp("demo"), "--cameras", "1") as running:
        yield running


async def test_three_units_are_on_the_wall_and_on_file(page: Page, with_units: Running) -> None:
    """They are live beside the camera, and online. Two stand by a deployment and are recorded, and one waits."""
    await sign_in(page, with_units)
    await page.keyboard.press("Alt+4")
    await seen(page, f"() => ({NUMBERS})() === '1,2,3,4'", timeout_s=120)
    # A picture is live before the keyframe comes with which its recording begins.
    await seen(page, RECORDED, 2)
    found: dict[str, Any] = await page.evaluate(UNITS)
    assert [(one["label"], one["link"]) for one in found["units"]] == [
        (label, "online") for label in ("D001", "D002", "D003")
    ]
    assert found["refusals"] == []
    assert sorted((one["unit"], one["stage"]) for one in found["deployments"]) == [
        ("D001", "deployed"),
        ("D002", "deployed"),
        ("D003", "planned"),
    ]
    assert all(one["signed_off"] for one in found["deployments"] if one["stage"] == "deployed")
    states = {one["id"]: one["state"] for one in found["cameras"]}
    recorded = {
        one["label"]: states[camera]["recording"]["main"] for one in found["units"] for camera in one["cameras"]
    }
    assert recorded == {"D001": True, "D002": True, "D003": False}


async def test_a_unit_that_is_knocked_is_an_alarm(page: Page, with_units: Running) -> None:
    """By a line that is typed where the demo runs: the room is told, with what happened."""
    await sign_in(page, with_units)
    with_units.type("knock D002")
    await seen(
        page,
        """async () => (await (await fetch('/api/v1/deployments')).json())
          .some(({unit, alarms, unseen}) => unit === 'D002' && (alarms.length > 0 || unseen.length > 0))""",
        timeout_s=120,
    )
