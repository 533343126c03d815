"""What needs a person, and how much of a month was recorded, as the API tells it."""

import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from PIL import Image

from gateway.api.times import iso
from gateway.db.camera_days import CameraDays, DayFigures
from gateway.db.reference_views import ReferenceViews
from gateway.fleet import footage, rpc
from gateway.fleet.picture import PictureFinding
from gateway.health.days import day_of
from gateway.health.need import DAY_NS
from kernel.clock import NS_PER_S, SystemClock, utc
from kernel.head import Position
from kernel.ids import CameraId
from kernel.media import GapCause, PictureFault, VideoCodec
from tests.fakes.deploying import PLACE, Deploying
from tests.fakes.descriptions import description, view
from tests.fakes.desk import Desk, open_desk
from tests.fakes.waiting import until

HEALTH = "/api/v1/health"


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Return a gateway without cameras."""
    async with open_desk(tmp_path) as desk:
        yield desk


def blackened(camera: str) -> rpc.CameraState:
    """Return the state of a camera whose picture is black."""
    return rpc.CameraState(
        id=CameraId(camera),
        live=rpc.LiveState.LIVE,
        main=rpc.StreamFacts(
            state=rpc.LiveState.LIVE, recording=rpc.StreamRecording(on=False, cause="no pictures come from the camera")
        ),
        picture=PictureFinding(fault=PictureFault.BLACK, since_ns=1_790_000_000 * NS_PER_S),
        looked_ns=1_790_000_100 * NS_PER_S,
    )


async def test_what_a_host_finds_at_a_picture_needs_a_person(desk: Desk) -> None:
    """At which camera, how urgently, why, since when, and what is to be done."""
    camera = await desk.enrol()
    desk.host.state(blackened(camera))
    fleet, ward = desk.gateway.fleet, desk.gateway.rooms.ward
    await until(lambda: (state := fleet.state(CameraId(camera))) is not None and state.picture is not None)
    await ward.look()
    said = (await desk.admin.get(HEALTH)).json()
    (need,) = [one for one in said["needs"] if one["kind"] == "picture"]
    assert (need["camera"], need["urgency"], need["since"]) == (camera, "now", "2026-09-21T14:13:20.000Z")
    assert need["cause"] == "The picture is black."
    assert need["cure"]
    assert said["looked"] is not None


async def black(desk: Desk) -> str:
    """Return a camera whose picture is black, as the ward knows."""
    camera = await desk.enrol()
    desk.host.state(blackened(camera))
    fleet = desk.gateway.fleet
    await until(lambda: (state := fleet.state(CameraId(camera))) is not None and state.picture is not None)
    await desk.gateway.rooms.ward.look()
    return camera


async def test_what_is_put_off_is_told_of_with_its_reason(desk: Desk) -> None:
    """By an operator, who is on record with it; taken up, it stands as before."""
    camera = await black(desk)
    operator = await desk.person("operator")
    path = f"/api/v1/cameras/{camera}/needs/picture/put-off"
    until_ = iso(SystemClock().wall_ns() + 3600 * NS_PER_S)
    answer = await operator.put(path, json={"until": until_, "reason": "A van is ordered."})
    assert answer.status_code == 200
    (need,) = [one for one in (await desk.admin.get(HEALTH)).json()["needs"] if one["kind"] == "picture"]
    said = need["put_off"]
    assert (said["until"], said["reason"], said["by"]) == (until_, "A van is ordered.", "some-operator")
    (entry,) = await desk.audit("camera.need-put-off")
    assert json.loads(entry.details)["reason"] == "A van is ordered."
    assert (await operator.delete(path)).json()[0]["put_off"] is None
    assert (await operator.delete(path)).status_code == 404
    assert len(await desk.audit("camera.need-taken-up")) == 1


async def test_who_only_watches_puts_nothing_off(desk: Desk) -> None:
    """Nor does anybody without a reason, or what needs nobody."""
    camera = await black(desk)
    path = f"/api/v1/cameras/{camera}/needs"
    viewer = await desk.person("viewer")
    assert (await viewer.put(f"{path}/picture/put-off", json={"reason": "Not today."})).status_code == 403
    assert (await desk.admin.put(f"{path}/picture/put-off", json={"reason": " x "})).status_code == 422
    assert (await desk.admin.put(f"{path}/battery/put-off", json={"reason": "Not today."})).status_code == 404
    long = {"reason": "Not today.", "until": "2199-01-01T00:00:00Z"}
    assert (await desk.admin.put(f"{path}/picture/put-off", json=long)).status_code == 422
    assert await desk.audit("camera.need-put-off") == []


async def test_a_camera_is_told_of_whole(desk: Desk) -> None:
    """Its link, picture, clock and firmware, and what it needs; before the first look only what it is made of."""
    camera = await desk.enrol()
    path = f"/api/v1/cameras/{camera}/health"
    new = (await desk.admin.get(path)).json()
    assert new["firmware"] == new["newest_firmware"] != ""
    desk.host.state(blackened(camera))
    fleet = desk.gateway.fleet
    await until(lambda: (state := fleet.state(CameraId(camera))) is not None and state.picture is not None)
    await desk.gateway.rooms.ward.look()
    said = (await desk.admin.get(path)).json()
    assert (said["live"], said["missed"], said["picture"], said["head"]) == (True, True, "black", True)
    assert (said["reference"], said["unit"], said["looked"] is not None) == (None, None, True)
    assert (said["recording"], said["recording_cause"]) == (False, "no pictures come from the camera")
    assert (new["picture_looked"], said["picture_looked"]) == (None, "2026-09-21T14:15:00.000Z")
    assert [one["kind"] for one in said["needs"]] == ["picture"]


async def timeline(desk: Desk) -> str:
    """Return a camera of which half an hour was recorded since it was enrolled, and a quarter lost to its network."""
    camera = await desk.enrol()
    start_ns = desk.gateway.fleet.camera(camera).enrolled_ns
    quarter_ns = (SystemClock().wall_ns() - start_ns) // 4
    run = footage.RunSpan(start_ns=start_ns, end_ns=start_ns + quarter_ns, codec=VideoCodec.H264, width=640, height=360)
    gap = footage.GapSpan(start_ns=run.end_ns, end_ns=run.end_ns + quarter_ns, cause=GapCause.NETWORK)
    desk.host.timeline = footage.TimelineReply(spans=(run,), gaps=(gap,), newest_ns=run.end_ns)
    return camera


def this_month() -> dict[str, str]:
    """Return the query."""
    return {"month": f"{utc(SystemClock().wall_ns()):%Y-%m}"}


async def test_a_month_tells_what_was_recorded_and_why_not(desk: Desk) -> None:
    """A half of what is known of was recorded, the other lost to the network."""
    camera = await timeline(desk)
    said = (await desk.admin.get(f"{HEALTH}/availability", params=this_month())).json()
    (found,) = said["cameras"]
    assert (found["camera"], found["availability"], list(found["lost_s"])) == (camera, 0.5, ["network"])
    assert found["recorded_s"] == found["lost_s"]["network"] > 0
    assert said["unreached"] == []


async def settled(desk: Desk, camera: str) -> None:
    """Have today be settled: half of it recorded, a quarter lost to its host."""
    quarter_ns = DAY_NS // 4
    figures = DayFigures(
        recorded_ns=2 * quarter_ns,
        lost_camera_ns=0,
        lost_network_ns=0,
        lost_host_ns=quarter_ns,
        lost_storage_ns=0,
        withheld_ns=0,
        off_ns=0,
        unknown_ns=quarter_ns,
    )
    async with desk.gateway.database.write() as connection:
        days = CameraDays(connection)
        await days.settle(camera, [(day_of(SystemClock().wall_ns()), figures)])
        await days.clock(camera, day_of(SystemClock().wall_ns()), -1.5)


async def test_what_is_settled_of_a_month_is_told_without_its_host(desk: Desk) -> None:
    """Whether its recordings are still there or not."""
    camera = await desk.enrol()
    await settled(desk, camera)
    desk.host.refuse["timeline"] = rpc.Problem(type="host.gone", title="Gone.", status=503)
    said = (await desk.admin.get(f"{HEALTH}/availability", params=this_month())).json()
    (found,) = said["cameras"]
    assert (found["availability"], found["lost_s"], said["unreached"]) == (2 / 3, {"host": 21_600.0}, [])


async def test_a_cameras_days_are_told(desk: Desk) -> None:
    """Figures and clock; who may not see its recordings is not told."""
    camera = await desk.enrol()
    path = f"/api/v1/cameras/{camera}/health/days"
    assert (await desk.admin.get(path)).json() == []
    await settled(desk, camera)
    (day,) = (await desk.admin.get(path)).json()
    assert (day["day"], day["clock_offset_s"]) == (f"{utc(SystemClock().wall_ns()):%Y-%m-%d}", -1.5)
    assert (day["availability"], day["recorded_s"], day["unknown_s"]) == (2 / 3, 43_200.0, 21_600.0)
    assert (await (await desk.person("member")).get(path)).status_code == 403


async def test_a_month_as_a_table(desk: Desk) -> None:
    """A head and a line for each camera; a name that begins as a formula does is none."""
    camera = await timeline(desk)
    await desk.admin.patch(f"/api/v1/cameras/{camera}", json={"name": "=1+1"})
    answer = await desk.admin.get(f"{HEALTH}/availability.csv", params=this_month())
    assert answer.headers["content-type"].startswith("text/csv")
    (line,) = csv.DictReader(io.StringIO(answer.text))
    assert (line["camera"], line["availability"], line["name"]) == (camera, "0.500000", "'=1+1")
    assert float(line["lost_network_s"]) == float(line["recorded_s"])


async def test_a_host_that_does_not_answer_is_told_of(desk: Desk) -> None:
    """Its cameras are named; no figure is made up, in the table neither."""
    camera = await timeline(desk)
    desk.host.refuse["timeline"] = rpc.Problem(type="recording.busy", title="Busy.", status=503)
    said = (await desk.admin.get(f"{HEALTH}/availability", params=this_month())).json()
    assert (said["cameras"], [one["camera"] for one in said["unreached"]]) == ([], [camera])
    table = (await desk.admin.get(f"{HEALTH}/availability.csv", params=this_month())).text
    (line,) = csv.DictReader(io.StringIO(table))
    assert (line["camera"], line["availability"]) == (camera, "")


async def test_a_camera_that_was_removed_stays_in_its_months(desk: Desk) -> None:
    """With its figures, which its host tells still, its number and name, and when it was removed; in the table too."""
    camera = await timeline(desk)
    await desk.admin.patch(f"/api/v1/cameras/{camera}", json={"name": "West door", "group": "Market"})
    assert (await desk.admin.delete(f"/api/v1/cameras/{camera}")).status_code == 204
    said = (await desk.admin.get(f"{HEALTH}/availability", params=this_month())).json()
    (found,) = said["cameras"]
    assert (found["camera"], found["name"], found["availability"]) == (camera, "West door", 0.5)
    assert said["start"] < found["removed"] <= said["end"]
    assert found["recorded_s"] + found["lost_s"]["network"] + found["unknown_s"] < 3600
    (line,) = csv.DictReader(
        io.StringIO((await desk.admin.get(f"{HEALTH}/availability.csv", params=this_month())).text)
    )
    assert (line["name"], line["availability"], line["removed"]) == ("West door", "0.500000", found["removed"])
    member = await desk.person("member")
    answer = await member.get(f"{HEALTH}/availability", params=this_month())
    assert answer.status_code == 403 or camera not in answer.text
    desk.host.refuse["timeline"] = rpc.Problem(type="host.gone", title="Gone.", status=503)
    said = (await desk.admin.get(f"{HEALTH}/availability", params=this_month())).json()
    assert (said["cameras"], [one["name"] for one in said["unreached"]]) == ([], ["West door"])


async def test_a_month_that_has_not_begun_is_refused(desk: Desk) -> None:
    """As is what is no month."""
    assert (await desk.admin.get(f"{HEALTH}/availability", params={"month": "2199-01"})).status_code == 422
    assert (await desk.admin.get(f"{HEALTH}/availability", params={"month": "2026-13"})).status_code == 422


async def test_nobody_is_told_of_cameras_that_they_may_not_see(desk: Desk) -> None:
    """Neither who needs what, nor how a month went."""
    camera = await timeline(desk)
    desk.host.state(blackened(camera))
    await desk.gateway.rooms.ward.look()
    member = await desk.person("member")
    for path in (HEALTH, f"{HEALTH}/availability"):
        answer = await member.get(path, params=this_month())
        assert answer.status_code == 403 or camera not in answer.text


async def fixed(desk: Desk, **facts: object) -> str:
    """Return a camera without a head."""
    desk.host.found = description(views=(view(head=None),))
    return await desk.enrol(**facts)


async def test_a_head_keeps_its_reference_view_with_where_it_stood(desk: Desk) -> None:
    """Its host is told both, also after a restart of the gateway; a head that does not say has none."""
    camera = await desk.enrol()
    path = f"/api/v1/cameras/{camera}/reference-view"
    answer = await desk.admin.put(path)
    assert (answer.status_code, desk.host.assignments[camera].reference) == (404, b"")
    desk.host.seen_at = Position(0.25, -0.5, 0.125)
    said = (await desk.admin.put(path)).json()
    assert said["at"] == {"pan": 0.25, "tilt": -0.5, "zoom": 0.125}
    assert (await desk.admin.get(path)).json() == said
    given = desk.host.assignments[camera]
    assert (given.reference, given.reference_at) == (desk.host.seen, desk.host.seen_at)
    async with desk.gateway.database.read() as connection:
        kept = await ReferenceViews(connection).of(camera)
    assert kept is not None
    assert kept.at == desk.host.seen_at


async def test_who_put_a_unit_up_says_how_it_should_look(desk: Desk) -> None:
    """Of all its cameras, while it stands by the deployment; of any other camera only who enrols does."""
    there = await Deploying.at(desk)
    path = f"/api/v1/cameras/{there.camera}/reference-view"
    desk.host.seen_at = Position(0.25, -0.5, 0.125)
    await there.planned()
    assert (await there.team.put(f"{there.path}/reference-view")).status_code == 404
    await there.step("installation", place=PLACE, bearing_deg=90.0)
    (said,) = (await there.team.put(f"{there.path}/reference-view")).json()
    assert said == {"camera": there.camera, **(await there.team.get(path)).json()}
    assert said["at"] == {"pan": 0.25, "tilt": -0.5, "zoom": 0.125}
    assert len(await desk.audit("camera.reference-view")) == 1
    viewer = await desk.person("viewer")
    assert (await viewer.put(f"{there.path}/reference-view")).status_code == 403
    assert (await there.team.put(path)).status_code == 403


async def test_a_host_that_has_seen_nothing_gives_no_reference_view(desk: Desk) -> None:
    """The camera has none then, nor is the audit told."""
    camera = await fixed(desk)
    desk.host.refuse["look"] = rpc.Problem(type="host.not-seen", title="Not yet.", status=503)
    path = f"/api/v1/cameras/{camera}/reference-view"
    assert (await desk.admin.put(path)).status_code == 503
    assert (await desk.admin.get(path)).json() == {"taken": None, "at": None}
    assert await desk.audit("camera.reference-view") == []


async def test_a_reference_view_is_what_a_camera_shows_now(desk: Desk) -> None:
    """It goes to the camera's host, is told of in the audit, and can be forgotten."""
    camera = await fixed(desk)
    path = f"/api/v1/cameras/{camera}/reference-view"
    assert (await desk.admin.get(path)).json() == {"taken": None, "at": None}
    desk.host.seen = b"\x07" * 14_400
    taken = (await desk.admin.put(path)).json()["taken"]
    assert taken is not None
    assert (await desk.admin.get(path)).json() == {"taken": taken, "at": None}
    assert desk.host.assignments[camera].reference == desk.host.seen
    shown = await desk.admin.get(f"{path}/picture")
    assert shown.headers["content-type"] == "image/png"
    image = Image.open(io.BytesIO(shown.content))
    assert (image.size, image.mode, image.tobytes()) == ((160, 90), "L", desk.host.seen)
    assert (await desk.admin.delete(path)).status_code == 204
    assert (await desk.admin.get(f"{path}/picture")).status_code == 404
    assert desk.host.assignments[camera].reference == b""
    assert [json.loads(entry.details)["on"] for entry in await desk.audit("camera.reference-view")] == [True, False]


async def test_a_reference_view_holds_only_where_it_was_taken(desk: Desk) -> None:
    """A corrected place keeps it; another one voids it."""
    camera = await fixed(desk, latitude=51.5, longitude=-0.1)
    path = f"/api/v1/cameras/{camera}"
    await desk.admin.put(f"{path}/reference-view")
    await desk.admin.patch(path, json={"place": {"latitude": 51.50001, "longitude": -0.1}})
    kept = (await desk.admin.get(f"{path}/reference-view")).json()
    await desk.admin.patch(path, json={"place": {"latitude": 51.52, "longitude": -0.1}})
    void = (await desk.admin.get(f"{path}/reference-view")).json()
    assert kept["taken"] is not None
    assert void == {"taken": None, "at": None}
    assert desk.host.assignments[camera].reference == b""
