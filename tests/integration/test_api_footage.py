"""Where cameras stood when: footage is found under the place of then, and what held there holds nowhere else."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.db.reference_views import ReferenceView
from gateway.fleet import footage, rpc
from gateway.health.view import COLUMNS, ROWS
from kernel.clock import NS_PER_S, SystemClock, to_ns, utc
from kernel.media import VideoCodec
from tests.fakes.deploying import Deploying
from tests.fakes.descriptions import description, view
from tests.fakes.desk import Desk, open_desk
from tests.fakes.outside import heard as hear

MILL = {"latitude": 51.5, "longitude": -0.1, "height_m": 0.0}
QUAY = {"latitude": 51.52, "longitude": -0.1, "height_m": 0.0}
ROUND_MILL = "51.499,-0.101;51.501,-0.101;51.501,-0.099;51.499,-0.099"
ROUND_QUAY = "51.519,-0.101;51.521,-0.101;51.521,-0.099;51.519,-0.099"


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Return a gateway without cameras."""
    async with open_desk(tmp_path) as desk:
        yield desk


def today() -> dict[str, str]:
    """Return a range around now."""
    now = utc(SystemClock().wall_ns())
    return {"start": (now - timedelta(days=1)).isoformat(), "end": (now + timedelta(days=1)).isoformat()}


async def moved(desk: Desk) -> Deploying:
    """Return a camera that stood in Mill Lane, and stands at the quay."""
    deploying = await Deploying.at(desk)
    await deploying.deployed(place=MILL)
    await deploying.step("removal", text="Solved.")
    await deploying.deployed(place=QUAY)
    return deploying


async def test_footage_is_found_where_its_camera_stood_then(desk: Desk) -> None:
    """A camera that moved is found in both places, in each for its own time; elsewhere not at all."""
    deploying = await moved(desk)
    viewer = await desk.person("viewer")
    finds = [
        (await viewer.get("/api/v1/footage", params={"area": area, **today()})).json()
        for area in (ROUND_MILL, ROUND_QUAY, "51.6,0;51.61,0;51.61,0.1")
    ]
    (mill,), (quay,), nowhere = (one["found"] for one in finds)
    assert nowhere == []
    assert {mill["camera"], quay["camera"]} == {deploying.camera}
    assert (mill["stood"]["place"], quay["stood"]["place"]) == (MILL, QUAY)
    assert mill["stood"]["end"] is not None
    assert mill["end"] <= quay["start"]
    assert quay["stood"]["end"] is None
    assert deploying.path.endswith(quay["stood"]["deployment"])
    assert mill["stood"]["deployment"] not in {None, quay["stood"]["deployment"]}


async def test_what_was_recorded_there_is_told(desk: Desk) -> None:
    """With each find go the pieces of footage; null where the host cannot say."""
    camera = await desk.enrol(latitude=51.5, longitude=-0.1)
    span = today()
    start_ns = to_ns(datetime.fromisoformat(span["end"])) - 10**9
    run = footage.RunSpan(start_ns=start_ns, end_ns=start_ns + 10**9, codec=VideoCodec.H264, width=64, height=36)
    desk.host.timeline = footage.TimelineReply(spans=(run,), gaps=(), newest_ns=None)
    query = {"area": ROUND_MILL, **span}
    (found,) = (await desk.admin.get("/api/v1/footage", params=query)).json()["found"]
    assert (found["camera"], len(found["recorded"])) == (camera, 1)
    desk.host.refuse["timeline"] = rpc.Problem(type="recording.busy", title="Busy.", status=503)
    (found,) = (await desk.admin.get("/api/v1/footage", params=query)).json()["found"]
    assert found["recorded"] is None


async def test_a_fixed_camera_stood_there_since_it_was_enrolled(desk: Desk) -> None:
    """Surveyed later or corrected by a metre, it is one stay, with the better place; taken elsewhere, two."""
    path = f"/api/v1/cameras/{await desk.enrol()}"
    for latitude in (51.5, 51.50001):
        await desk.admin.patch(path, json={"place": {"latitude": latitude, "longitude": -0.1}})
    (stay,) = (await desk.admin.get(f"{path}/places")).json()
    assert stay["place"]["latitude"] == 51.50001
    await desk.admin.patch(path, json={"place": QUAY})
    first, second = (await desk.admin.get(f"{path}/places")).json()
    assert (first["end"], second["place"], second["end"]) == (second["start"], QUAY, None)


async def test_only_what_one_may_play_back_is_found(desk: Desk) -> None:
    """Somebody without rights on a camera does not learn that it was there."""
    await desk.enrol(latitude=51.5, longitude=-0.1)
    member = await desk.person("member")
    answer = await member.get("/api/v1/footage", params={"area": ROUND_MILL, **today()})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "area", ["51.5,-0.1;51.6,-0.1", "51.5", "91,0;92,0;93,0", "1,2;3,4;-", ";".join(["51,0"] * 101)]
)
async def test_an_area_that_is_none_is_refused(desk: Desk, area: str) -> None:
    """Too few or too many corners, and points that are not on Earth."""
    answer = await desk.admin.get("/api/v1/footage", params={"area": area, **today()})
    assert answer.status_code == 422


async def test_the_audit_says_where_the_camera_stood(desk: Desk) -> None:
    """An entry about a camera that has moved since names the place of then."""
    deploying = await Deploying.at(desk)
    await deploying.deployed(place=MILL)
    await deploying.team.get(f"/api/v1/cameras/{deploying.camera}/snapshot")
    await deploying.step("removal", text="Solved.")
    await deploying.deployed(place=QUAY)
    await desk.gateway.trail.settled()
    entries = (await desk.admin.get("/api/v1/audit", params={"action": "view.snapshot"})).json()["entries"]
    assert [one["stood"] for one in entries] == ["Mill Lane"]


async def test_presets_of_another_place_are_void_until_stored_anew(desk: Desk) -> None:
    """They are listed as such and not recalled; stored anew, they are confirmed."""
    deploying = await moved(desk)
    presets = f"/api/v1/cameras/{deploying.camera}/presets"
    assert (await deploying.team.get(presets)).json() == [{"token": "1", "name": "Gate", "confirmed": False}]
    async with desk.socket(deploying.team, f"/api/v1/cameras/{deploying.camera}/steer") as socket:
        await socket.send('{"t": "preset", "token": "1", "n": 1}')
        assert (await hear(socket, "error"))["type"] == "api.preset-void"
        stored = await deploying.team.post(presets, json={"name": "Gate", "token": "1"})
        assert stored.json()["confirmed"]
        await socket.send('{"t": "take", "n": 2}')
        await socket.send('{"t": "preset", "token": "1", "n": 3}')
        while (await hear(socket, "ack"))["n"] != 3:
            pass
    assert (await deploying.team.get(presets)).json()[0]["confirmed"]


async def test_bounds_of_another_place_are_unconfirmed_and_stay_on_file(desk: Desk) -> None:
    """Put up anew at the very same place, a head is not turned as it was: its zones are confirmed again."""
    deploying = await Deploying.at(desk)
    await deploying.deployed(place=MILL)
    path = f"/api/v1/cameras/{deploying.camera}/bounds"
    zone = {"name": "Flats", "pan_from_deg": 0, "pan_to_deg": 30, "tilt_from_deg": -10, "tilt_to_deg": 20}
    await desk.admin.put(path, json={"zones": [zone]})
    await deploying.step("removal", text="Solved.")
    await deploying.deployed(place=MILL)
    assert not (await desk.admin.get(path)).json()["confirmed"]
    stays = await desk.gateway.rooms.stays.of((await desk.admin.get(path.removesuffix("/bounds"))).json()["id"])
    assert [stay.bounds is not None and "Flats" in stay.bounds for stay in stays] == [False, True, True, False]


async def test_a_deployed_camera_is_not_moved_by_hand(desk: Desk) -> None:
    """Its place may be corrected; another place is another deployment."""
    deploying = await Deploying.at(desk)
    await deploying.deployed(place=MILL)
    path = f"/api/v1/cameras/{deploying.camera}"
    for place, status in (({**MILL, "latitude": 51.50001}, 200), (QUAY, 409), (None, 409)):
        assert (await desk.admin.patch(path, json={"place": place})).status_code == status


async def test_a_deployed_unit_that_is_enrolled_anew_stays_where_it_is(desk: Desk) -> None:
    """It gets its new address, and no other place."""
    deploying = await Deploying.at(desk)
    await deploying.deployed(place=MILL)
    body = {"address": "192.0.2.9", "username": "root", "password": "new", "latitude": 51.52, "longitude": -0.1}
    answer = await desk.admin.post("/api/v1/cameras", json=body)
    (camera,) = answer.json()
    assert (answer.status_code, camera["id"], camera["address"]) == (200, deploying.camera, "192.0.2.9")
    assert camera["place"]["latitude"] == MILL["latitude"]


async def test_a_view_that_a_deployed_unit_gained_stands_where_it_does(desk: Desk) -> None:
    """What it records is found under that place, as what the others do."""
    deploying = await Deploying.at(desk)
    known = await deploying.deployed(place=MILL)
    desk.host.found = description(views=(view(), view("gained")))
    body = {"address": "192.0.2.1", "username": "root", "password": "camera secret", "latitude": 51.52, "longitude": 0}
    answer = await desk.admin.post("/api/v1/cameras", json=body)
    first, gained = answer.json()
    assert first["id"] == deploying.camera
    for camera in (first, gained):
        assert (camera["place"], camera["street"], camera["bearing_deg"]) == (MILL, known["street"], 90.0)
    (stay,) = (await desk.admin.get(f"/api/v1/cameras/{gained['id']}/places")).json()
    assert (stay["place"], stay["end"]) == (MILL, None)


async def test_calibration_and_reference_view_of_another_place_are_forgotten(desk: Desk) -> None:
    """Bearing, lens angle and what it is to show are said anew where it stands now; the stay keeps its bearing."""
    deploying = await Deploying.at(desk)
    await deploying.deployed(place=MILL)
    path = f"/api/v1/cameras/{deploying.camera}"
    assert (await desk.admin.patch(path, json={"hfov_deg": 60.0})).status_code == 200
    fleet = desk.gateway.rooms.fleet
    await fleet.refer(fleet.camera(deploying.camera), ReferenceView(1, b"grey"))
    await deploying.step("removal", text="Solved.")
    await deploying.planned()
    await deploying.step("installation", place=MILL)
    camera = (await desk.admin.get(path)).json()
    assert (camera["bearing_deg"], camera["hfov_deg"]) == (None, None)
    assert fleet.camera(deploying.camera).reference is None
    places = (await desk.admin.get(f"{path}/places")).json()
    assert 90.0 in [stay["bearing_deg"] for stay in places]


async def test_whoever_comes_back_to_a_place_sees_what_the_camera_had_there(desk: Desk) -> None:
    """Presets that were stored there and not removed, lens angle, zones, and what it was to show, as a picture too."""
    deploying = await Deploying.at(desk)
    await deploying.deployed(place=MILL)
    path = f"/api/v1/cameras/{deploying.camera}"
    for name in ("Gate", "Bench"):
        assert (await deploying.team.post(f"{path}/presets", json={"name": name})).status_code == 201
    gate, bench = (await deploying.team.get(f"{path}/presets")).json()[-2:]
    assert (await deploying.team.delete(f"{path}/presets/{bench['token']}")).status_code == 204
    zone = {"name": "Flats", "pan_from_deg": 0, "pan_to_deg": 30, "tilt_from_deg": -10, "tilt_to_deg": 20}
    await desk.admin.put(f"{path}/bounds", json={"zones": [zone]})
    await desk.admin.patch(path, json={"hfov_deg": 60.0})
    fleet = desk.gateway.rooms.fleet
    await fleet.refer(fleet.camera(deploying.camera), ReferenceView(NS_PER_S, bytes(COLUMNS * ROWS)))
    await deploying.step("removal", text="Solved.")
    await deploying.deployed(place=QUAY)
    stays = (await deploying.team.get(f"{path}/places")).json()
    (then,) = [one for one in stays if one["reference"] is not None]
    assert then["place"]["latitude"] == MILL["latitude"]
    assert then["presets"] == [{"token": gate["token"], "name": "Gate"}]
    assert (then["hfov_deg"], [one["name"] for one in then["zones"]], then["confirmed"]) == (60.0, ["Flats"], True)
    picture = await deploying.team.get(f"{path}/places/{then['id']}/reference-view")
    assert (picture.status_code, picture.headers["content-type"], picture.content[:4]) == (200, "image/png", b"\x89PNG")
    assert [(one.subject, json.loads(one.details)["stream"]) for one in await desk.audit("playback.still")] == [
        (deploying.camera, "reference view")
    ]
    now = stays[-1]
    assert (now["presets"], now["zones"], now["hfov_deg"], now["reference"]) == ([], [], None, None)
    assert (await deploying.team.get(f"{path}/places/{now['id']}/reference-view")).status_code == 404
