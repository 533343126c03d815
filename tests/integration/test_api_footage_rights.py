"""Who may see what a camera that moves recorded where it stood before: who may at that place, not at its new one."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.db.stays import StayRow
from gateway.db.tables import camera_stays
from gateway.fleet import footage
from kernel.clock import NS_PER_S, utc
from kernel.ids import CameraId
from kernel.media import VideoCodec
from tests.fakes.deploying import Deploying
from tests.fakes.desk import PASSWORD, Desk, open_desk
from tests.integration.test_api_footage import MILL, QUAY, ROUND_MILL, ROUND_QUAY, moved, today


async def fixed(desk: Desk) -> Deploying:
    """Return a camera that stood in Mill Lane, and is a fixed one at the quay now."""
    deploying = await Deploying.at(desk)
    await deploying.deployed(place=MILL)
    await deploying.step("removal", text="Solved.")
    camera = f"/api/v1/cameras/{deploying.camera}"
    assert (await desk.admin.delete(f"{camera}/deployable")).status_code == 204
    assert (await desk.admin.patch(camera, json={"place": QUAY})).status_code == 200
    return deploying


class Moved:
    """A unit that stood in Mill Lane and stands at the quay, both recorded, and people who have one of the places."""

    def __init__(self, desk: Desk, camera: str, stays: list[StayRow], quay: httpx.AsyncClient) -> None:
        self.desk = desk
        self.path = f"/api/v1/cameras/{camera}"
        self.camera = camera
        self.mill = next(one for one in stays if one.latitude_deg == 51.5 and one.to_ns is not None)
        self.stays = stays
        self.quay = quay

    @property
    def there(self) -> dict[str, str]:
        """Return a range of the time in Mill Lane."""
        assert self.mill.to_ns is not None
        # A microsecond on: what is cut off an instant of nanoseconds lies before it.
        return {"start": utc(self.mill.from_ns + 1000).isoformat(), "end": utc(self.mill.to_ns).isoformat()}

    @property
    def here(self) -> dict[str, str]:
        """Return a range since it stands at the quay."""
        start_ns = self.stays[-1].from_ns + NS_PER_S
        return {"start": utc(start_ns).isoformat(), "end": utc(start_ns + 60 * NS_PER_S).isoformat()}

    async def get(self, what: str, **query: str) -> httpx.Response:
        """Ask as who has the quay."""
        return await self.quay.get(f"{self.path}/{what}", params=query)


async def holder(desk: Desk, name: str, area: str) -> httpx.AsyncClient:
    """Return the browser of somebody who sees, and may have, everything in an area."""
    admin = desk.admin
    corners = [[float(one) for one in corner.split(",")] for corner in area.split(";")]
    group = (await admin.post("/api/v1/groups", json={"name": name, "area": corners})).json()["id"]
    wish = {"name": name, "permissions": ["view_live", "view_recorded", "export", "still"]}
    role = (await admin.post("/api/v1/roles", json=wish)).json()["id"]
    user = await admin.post("/api/v1/users", json={"username": name, "role": "member", "password": PASSWORD})
    grant = {"role": role, "user": user.json()["id"], "group": group}
    assert (await admin.post("/api/v1/grants", json=grant)).status_code == 201
    client = await desk.anybody()
    assert (await client.post("/api/v1/session", json={"username": name, "password": PASSWORD})).status_code == 200
    return client


@pytest_asyncio.fixture(params=[moved, fixed], ids=["moves", "fixed-now"])
async def moved_on(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Moved]:
    """Return it, still one that moves or made a fixed one."""
    async with open_desk(tmp_path) as desk:
        deploying = await request.param(desk)
        stays = await desk.gateway.rooms.stays.of(CameraId(deploying.camera))
        run = footage.RunSpan(
            start_ns=stays[0].from_ns,
            end_ns=stays[-1].from_ns + 60 * NS_PER_S,
            codec=VideoCodec.H264,
            width=64,
            height=36,
        )
        desk.host.timeline = footage.TimelineReply(spans=(run,), gaps=(), newest_ns=None)
        yield Moved(desk, deploying.camera, stays, await holder(desk, "quay", ROUND_QUAY))


@pytest.mark.parametrize("what", ["hls/main/index.m3u8", "clip.mp4"])
async def test_the_new_place_gives_no_footage_of_the_old(moved_on: Moved, what: str) -> None:
    """What it recorded in Mill Lane is refused to who has the quay, on record; what it recorded there is not."""
    refused = await moved_on.get(what, **moved_on.there)
    assert (refused.status_code, refused.json()["type"]) == (403, "access.forbidden")
    assert (await moved_on.get(what, **moved_on.here)).status_code == 200
    (entry,) = await moved_on.desk.audit("access.refused")
    assert entry.subject == moved_on.camera
    assert (await moved_on.desk.admin.get(f"{moved_on.path}/{what}", params=moved_on.there)).status_code == 200


@pytest.mark.parametrize("end", [{}, {"end": "2190-01-01T00:00:00Z"}], ids=["growing", "whole"])
async def test_a_list_that_would_begin_in_the_old_place_begins_in_the_new(moved_on: Moved, end: dict[str, str]) -> None:
    """Be it one that grows or not: what is left of the range is played."""
    assert (await moved_on.get("hls/main/index.m3u8", start=moved_on.there["start"], **end)).status_code == 200
    assert moved_on.desk.host.listed_ns[-1] == moved_on.stays[-1].from_ns


async def test_a_still_is_of_the_place_where_it_was_taken(moved_on: Moved) -> None:
    """However near the instant is that was asked for: the picture is from Mill Lane."""
    moved_on.desk.host.still_ns = moved_on.mill.from_ns
    assert (await moved_on.get("still", at=moved_on.here["start"])).status_code == 403
    moved_on.desk.host.still_ns = moved_on.stays[-1].from_ns
    assert (await moved_on.get("still", at=moved_on.here["start"])).status_code == 200


async def test_the_timeline_tells_nothing_of_the_old_place(moved_on: Moved) -> None:
    """Who has the quay is told of the quay; who has both, or the house, of everything."""
    span = today()
    told: list[dict[str, Any]] = (await moved_on.get("timeline", **span)).json()["spans"]
    assert moved_on.there["start"][:23] not in json.dumps(told)
    (here,) = told
    assert here["start"] >= utc(moved_on.stays[-1].from_ns).isoformat()[:23]
    (whole,) = (await moved_on.desk.admin.get(f"{moved_on.path}/timeline", params=span)).json()["spans"]
    assert whole["start"] < here["start"]


async def test_the_search_and_the_places_leave_it_out(moved_on: Moved) -> None:
    """Neither footage of Mill Lane is found, nor its zones, nor its reference picture."""
    finds = [
        (await moved_on.quay.get("/api/v1/footage", params={"area": area, **today()})).json()["found"]
        for area in (ROUND_MILL, ROUND_QUAY)
    ]
    assert [len(one) for one in finds] == [0, 1]
    places = (await moved_on.get("places")).json()
    assert moved_on.mill.id not in [one["id"] for one in places]
    assert places[-1]["end"] is None
    assert (await moved_on.get(f"places/{moved_on.mill.id}/reference-view")).status_code == 403


async def test_who_has_both_places_has_both_times(moved_on: Moved) -> None:
    """A second grant, over Mill Lane, opens what was recorded there."""
    desk = moved_on.desk
    corners = [[float(one) for one in corner.split(",")] for corner in ROUND_MILL.split(";")]
    group = (await desk.admin.post("/api/v1/groups", json={"name": "Mill", "area": corners})).json()["id"]
    user = next(one for one in (await desk.admin.get("/api/v1/users")).json() if one["username"] == "quay")
    grant = {"role": "viewer", "user": user["id"], "group": group}
    assert (await desk.admin.post("/api/v1/grants", json=grant)).status_code == 201
    assert (await moved_on.get("hls/main/index.m3u8", **moved_on.there)).status_code == 200


async def test_who_has_the_house_is_asked_nothing_of_places(moved_on: Moved) -> None:
    """Wherever it stood it is theirs: no list that grows, and no timeline, reads where it stood."""
    async with moved_on.desk.gateway.database.write() as connection:
        await connection.exec_driver_sql(f"ALTER TABLE {camera_stays.name} RENAME TO away")
    for what, query in (("timeline", today()), ("hls/main/index.m3u8", moved_on.there), ("clip.mp4", moved_on.there)):
        answer = await moved_on.desk.admin.get(f"{moved_on.path}/{what}", params=query)
        assert answer.status_code == 200, what
