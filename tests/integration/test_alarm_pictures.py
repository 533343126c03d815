"""Pictures of alarms: where they may be made, who may open them, and how long they are kept."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.db.deployments import DeploymentRows, EntryRow
from gateway.deployments.geofence import Moved, Report, Shock, Tampered
from gateway.fleet import footage, rpc
from gateway.fleet.held import Held
from gateway.picturing import PICTURE_BYTES, PICTURES_AN_HOUR, Picturing
from kernel.clock import NS_PER_S
from kernel.ids import CameraId
from kernel.media import VideoCodec
from tests.fakes.deploying import DAY_S, Deploying
from tests.fakes.desk import Desk, open_desk
from tests.fakes.host import FakeHost
from tests.fakes.leaping import LeapingClock
from tests.fakes.photos import photo
from tests.fakes.waiting import told, until
from tests.integration.test_api_footage import QUAY, ROUND_QUAY
from tests.integration.test_api_footage_rights import holder

URN = "urn:uuid:1"
FOLDER = "alarm-pictures"
AT_ONCE: tuple[Report, ...] = (Shock(peak_g=5.0), Tampered(), Moved())
"""What is an alarm each time that it is told, once a minute at most."""
GONE = rpc.Problem(type="camera.unreachable", title="It does not answer.", status=502)


class Alarmed:
    """A unit that stands for ten days, and what is said of it. ``clock`` leaps."""

    def __init__(self, desk: Desk, deploying: Deploying, clock: LeapingClock, folder: Path, id_: str) -> None:
        self.desk = desk
        self.deploying = deploying
        self.clock = clock
        self.id = id_
        self._folder = folder
        self._shades = list(range(100))

    async def knocked(self, *, ago_s: float | None = None) -> None:
        """Have it be knocked: just now, or so long ago, told late."""
        await self.reports(Shock(peak_g=5.0), ago_s=ago_s)

    async def reports(self, report: Report, *, ago_s: float | None = None) -> None:
        """Have it report what is an alarm at once."""
        happened_ns = None if ago_s is None else self.clock.wall_ns() - round(ago_s * NS_PER_S)
        taken = await self.desk.gateway.rooms.deployments.reported(URN, report, happened_ns=happened_ns)
        assert len(taken) == 1

    async def reports_enough(self, report: Report) -> list[bytes]:
        """Have it report that as often as there are pictures of it; return those. An hour is not over then."""
        made = [photo(shade=self._shades.pop()) for _ in range(PICTURES_AN_HOUR)]
        for jpeg in made:
            self.desk.host.snapshot_jpeg = jpeg
            await self.reports(report)
            await self.log(until_step="picture")
            self.clock.leap(61)
        return made

    async def log(self, *, until_step: str | None = None) -> list[EntryRow]:
        """Return the log, once its last line is of a step. Days go by here: what becomes due meanwhile is left out."""

        async def lines() -> list[EntryRow]:
            log = await self.desk.gateway.rooms.deployments.log(self.id)
            return [line for line in log if line.step != "due"]

        return await told(lines, lambda log: until_step in {None, log[-1].step}, what=f"the line {until_step}")

    def files(self) -> list[Path]:
        """Return the pictures that are on the disk."""
        return [one for one in (self._folder / FOLDER).rglob("*") if one.is_file()]

    async def pictured(self) -> dict[str, Any]:
        """Have it be knocked, and return the picture as the deployment tells of it."""
        self.desk.host.snapshot_jpeg = photo(shade=61)
        await self.knocked()
        await self.log(until_step="picture")
        known: dict[str, Any] = (await self.deploying.team.get(self.deploying.path)).json()
        (picture,) = known["pictures"]
        return dict(picture)

    def retaining(self, days: float = 31.0) -> Picturing:
        """Return what deletes pictures, without what does so by itself."""
        rooms = self.desk.gateway.rooms
        return Picturing(rooms.fleet, rooms.deployments, rooms.pictures, clock=self.clock, retention_days=days)


@pytest_asyncio.fixture
async def alarmed(tmp_path: Path) -> AsyncIterator[Alarmed]:
    """Return it."""
    clock, host = LeapingClock(), FakeHost()
    async with open_desk(tmp_path, host=host, clock=clock) as desk:
        deploying = await Deploying.at(desk)
        known = await deploying.deployed(max_days=10)
        yield Alarmed(desk, deploying, clock, tmp_path, known["id"])


def recorded(desk: Desk, until_ns: int) -> None:
    """Have the last hour be recorded."""
    run = footage.RunSpan(
        start_ns=until_ns - 3600 * NS_PER_S, end_ns=until_ns, codec=VideoCodec.H264, width=1280, height=720
    )
    desk.host.timeline = footage.TimelineReply(spans=(run,), gaps=(), newest_ns=until_ns)


# --- where they may be made


async def test_a_knock_after_the_stay_has_lapsed_leaves_no_picture(alarmed: Alarmed) -> None:
    """Neither of now nor out of the recordings: the alarm stands, and its log says why it has none."""
    recorded(alarmed.desk, alarmed.clock.wall_ns())
    alarmed.clock.leap(11 * DAY_S)
    await alarmed.log(until_step="lapsed")
    asked = len(alarmed.desk.host.asked)
    await alarmed.knocked()
    log = await alarmed.log(until_step="no-picture")
    assert [line.step for line in log[-3:]] == ["lapsed", "alarm", "no-picture"]
    assert json.loads(log[-1].said) == {"kind": "knocked", "why": "stay-over"}
    seeing = ("snapshot", "still", "timeline")
    assert not [one for one in alarmed.desk.host.asked[asked:] if any(word in one for word in seeing)]
    assert alarmed.files() == []


async def test_a_picture_that_comes_after_the_lapse_is_not_kept(alarmed: Alarmed) -> None:
    """It was wanted while the stay held; the camera answered when it no longer did."""
    host = alarmed.desk.host
    host.slow.clear()
    await alarmed.knocked()
    await until(lambda: any(one.endswith("/snapshot") for one in host.asked), what="the camera to be asked")
    alarmed.clock.leap(11 * DAY_S)
    assert not alarmed.desk.gateway.rooms.deployments.may_record(URN)
    host.slow.set()
    # Who writes that the stay is over, and who that there is no picture, do not wait for each other.
    log = await told(alarmed.log, lambda log: "no-picture" in {line.step for line in log}, what="the line no-picture")
    (blind,) = [line for line in log if line.step == "no-picture"]
    assert json.loads(blind.said)["why"] == "stay-over"
    assert "picture" not in [line.step for line in log]
    assert alarmed.files() == []


async def test_what_is_told_late_has_the_picture_of_then(alarmed: Alarmed) -> None:
    """Out of the recording, though the camera would make one now; and everybody is told when it happened."""
    alarmed.clock.leap(3 * 3600)
    now_ns = alarmed.clock.wall_ns()
    recorded(alarmed.desk, now_ns)
    await alarmed.knocked(ago_s=2400)
    log = await alarmed.log(until_step="picture")
    alarm, picture = (json.loads(line.said) for line in log[-2:])
    assert abs(now_ns - 2400 * NS_PER_S - alarm["happened_ns"]) < 60 * NS_PER_S
    assert picture["recorded_ns"] == alarm["happened_ns"]
    (file,) = alarmed.files()
    assert file.read_bytes() == alarmed.desk.host.still_jpeg
    known = await alarmed.desk.gateway.rooms.deployments.one(alarmed.id)
    (unseen,) = known.unseen.values()
    assert (unseen.since_ns, unseen.told_ns) == (alarm["happened_ns"], log[-2].at_ns)


@pytest.mark.parametrize("report", AT_ONCE, ids=lambda report: type(report).__name__)
async def test_a_unit_that_reports_without_end_fills_no_disk(alarmed: Alarmed, report: Report) -> None:
    """So many pictures in an hour of each kind, each alarm beyond them with its reason, and more in the next."""
    await alarmed.reports_enough(report)
    asked = len(alarmed.desk.host.asked)
    await alarmed.reports(report)
    log = await alarmed.log(until_step="no-picture")
    assert json.loads(log[-1].said)["why"] == "enough"
    assert not [one for one in alarmed.desk.host.asked[asked:] if "snapshot" in one]
    assert len(alarmed.files()) == PICTURES_AN_HOUR
    alarmed.clock.leap(3600)
    await alarmed.reports(report)
    await alarmed.log(until_step="picture")


async def test_knocks_leave_pictures_for_the_theft(alarmed: Alarmed) -> None:
    """As many knocks as have pictures, and what happens to it in the same hour has as many of its own."""
    made = [await alarmed.reports_enough(report) for report in AT_ONCE]
    kept = {file.read_bytes() for file in alarmed.files()}
    assert kept == {jpeg for of_kind in made for jpeg in of_kind}
    log = await alarmed.log()
    assert "no-picture" not in [line.step for line in log]


@pytest.mark.parametrize(
    "answer", [b"<html>Log in</html>", photo(kind="PNG"), photo() + bytes(PICTURE_BYTES)], ids=["page", "png", "large"]
)
async def test_what_is_no_picture_of_a_camera_is_not_kept(alarmed: Alarmed, answer: bytes) -> None:
    """A camera's web page, another format, or more than any camera makes: nothing of it comes to the disk."""
    alarmed.desk.host.snapshot_jpeg = answer
    await alarmed.knocked()
    log = await alarmed.log(until_step="no-picture")
    assert json.loads(log[-1].said)["why"] == "none-made"
    assert alarmed.files() == []


# --- who may open them


async def test_whoever_opens_a_picture_of_an_alarm_is_in_the_audit(alarmed: Alarmed) -> None:
    """As whoever takes a still of that camera is."""
    picture = await alarmed.pictured()
    assert (picture["camera"], picture["may_open"], picture["deleted"]) == (alarmed.deploying.camera, True, None)
    answer = await alarmed.deploying.team.get(f"{alarmed.deploying.path}/pictures/{picture['sha256']}")
    assert (answer.content, answer.headers["content-type"]) == (photo(shade=61), "image/jpeg")
    (entry,) = await alarmed.desk.audit("playback.still")
    assert (entry.actor, entry.subject) == ("some-operator", alarmed.deploying.camera)
    assert json.loads(entry.details)["digest"] == picture["sha256"]


async def test_a_picture_takes_the_right_to_stills_of_its_camera(alarmed: Alarmed) -> None:
    """Who deploys and may not see the camera is told that there is one, and the attempt is on record."""
    picture = await alarmed.pictured()
    admin = alarmed.desk.admin
    role = {"name": "Fitter", "permissions": ["deploy"]}
    fitting = await admin.post("/api/v1/roles", json=role)
    assert fitting.status_code == 201, fitting.text
    fitter = await alarmed.desk.person("member")
    who = next(one for one in (await admin.get("/api/v1/users")).json() if one["username"] == "some-member")
    grant = {"role": fitting.json()["id"], "user": who["id"], "reason": "Fits units."}
    given = await admin.post("/api/v1/grants", json=grant)
    assert given.status_code == 201, given.text
    (told,) = (await fitter.get(alarmed.deploying.path)).json()["pictures"]
    assert (told["sha256"], told["may_open"]) == (picture["sha256"], False)
    assert (await fitter.get(f"{alarmed.deploying.path}/pictures/{picture['sha256']}")).status_code == 403
    assert (await fitter.get(f"{alarmed.deploying.path}/photos/{picture['sha256']}")).status_code == 404
    assert await alarmed.desk.audit("playback.still") == []
    refused = [json.loads(one.details) for one in await alarmed.desk.audit("access.refused")]
    assert [one["permission"] for one in refused] == ["still"]


async def test_the_new_place_opens_no_picture_of_the_old(alarmed: Alarmed) -> None:
    """Who has the quay, where the unit hangs now, is not shown Mill Lane; who has the house is."""
    deploying, desk = alarmed.deploying, alarmed.desk
    picture = await alarmed.pictured()
    old = deploying.path
    await deploying.step("removal", text="Solved.")
    await deploying.deployed(place=QUAY)
    quay = await holder(desk, "quay", ROUND_QUAY)
    role = (await desk.admin.post("/api/v1/roles", json={"name": "Fitter", "permissions": ["deploy"]})).json()["id"]
    user = next(one for one in (await desk.admin.get("/api/v1/users")).json() if one["username"] == "quay")
    assert (await desk.admin.post("/api/v1/grants", json={"role": role, "user": user["id"]})).status_code == 201
    for team, may, status in ((quay, False, 403), (deploying.team, True, 200)):
        listed = (await team.get("/api/v1/deployments", params={"stage": "removed"})).json()
        for (shown,) in ((await team.get(old)).json()["pictures"], listed[0]["pictures"]):
            assert (shown["sha256"], shown["may_open"]) == (picture["sha256"], may)
        assert (await team.get(f"{old}/pictures/{picture['sha256']}")).status_code == status
    (refused,) = await desk.audit("access.refused")
    assert (refused.actor, refused.subject) == ("quay", deploying.camera)
    assert [one.actor for one in await desk.audit("playback.still")] == ["some-operator"]
    desk.host.snapshot_jpeg = photo(shade=99)
    await alarmed.knocked()
    here = deploying.path

    async def pictures() -> list[dict[str, Any]]:
        return list((await quay.get(here)).json()["pictures"])

    (here_too,) = await told(pictures, bool, what="a picture of the quay")
    assert here_too["may_open"]
    assert (await quay.get(f"{here}/pictures/{here_too['sha256']}")).status_code == 200


# --- how long they are kept


async def test_a_picture_is_deleted_when_its_footage_is(alarmed: Alarmed) -> None:
    """The file goes; the line with its hash stays, another says that it is gone, and the page can tell so."""
    picture = await alarmed.pictured()
    retaining = alarmed.retaining(days=1.0)
    await retaining.delete_old()
    assert len(alarmed.files()) == 1
    alarmed.clock.leap(1.1 * DAY_S)
    await retaining.delete_old()
    assert alarmed.files() == []
    log = await alarmed.log()
    assert [line.step for line in log[-2:]] == ["picture", "picture-deleted"]
    assert [json.loads(line.said)["sha256"] for line in log[-2:]] == [picture["sha256"]] * 2
    seen = (await alarmed.desk.gateway.rooms.deployments.one(alarmed.id)).pictures[picture["sha256"]]
    assert seen.deleted_ns == log[-1].at_ns
    assert len(await alarmed.desk.audit("deployment.picture-deleted")) == 1
    await retaining.delete_old()
    assert len(await alarmed.log()) == len(log)


async def test_a_hold_keeps_a_picture_as_it_keeps_footage(alarmed: Alarmed) -> None:
    """Of that camera and time; once it is released the picture goes."""
    await alarmed.pictured()
    host, now_ns = alarmed.desk.host, alarmed.clock.wall_ns()
    held = Held(
        id="hold-1",
        camera=CameraId(alarmed.deploying.camera),
        start_ns=now_ns - 3600 * NS_PER_S,
        end_ns=now_ns + 3600 * NS_PER_S,
        reason="CAD 4711",
        created_ns=now_ns,
    )
    host.holds = {held.id: held}
    alarmed.clock.leap(1.1 * DAY_S)
    retaining = alarmed.retaining(days=1.0)
    await retaining.delete_old()
    assert len(alarmed.files()) == 1
    host.holds = {held.id: held.model_copy(update={"camera": CameraId("another")})}
    await retaining.delete_old()
    assert alarmed.files() == []


async def test_what_may_be_held_is_not_deleted(alarmed: Alarmed) -> None:
    """The host that has the camera's holds cannot be asked: the picture stays until it can."""
    await alarmed.pictured()
    alarmed.clock.leap(1.1 * DAY_S)
    alarmed.desk.host.refuse["holds"] = GONE
    retaining = alarmed.retaining(days=1.0)
    await retaining.delete_old()
    assert len(alarmed.files()) == 1
    alarmed.desk.host.refuse.clear()
    await retaining.delete_old()
    assert alarmed.files() == []


async def test_a_wall_clock_that_leaps_deletes_no_picture(alarmed: Alarmed) -> None:
    """A bad time server, a month ahead: what is old when the clock is put right goes then."""
    await alarmed.pictured()
    retaining = alarmed.retaining(days=1.0)
    alarmed.clock.set_wall(30 * DAY_S)
    await retaining.delete_old()
    assert len(alarmed.files()) == 1
    alarmed.clock.set_wall(-30 * DAY_S)
    alarmed.clock.leap(1.1 * DAY_S)
    await retaining.delete_old()
    assert alarmed.files() == []


async def test_one_file_of_two_alarms_goes_with_the_later(alarmed: Alarmed) -> None:
    """The camera saw the same to the byte: what one deployment keeps is not deleted for another."""
    await alarmed.pictured()
    database = alarmed.desk.gateway.database
    other = (await alarmed.deploying.refer())["id"]
    async with database.write() as connection:
        rows = DeploymentRows(connection)
        (row,) = await rows.pictures(before_ns=alarmed.clock.wall_ns() + NS_PER_S)
        await rows.keep_picture(replace(row, deployment_id=other, seen_ns=row.seen_ns + DAY_S * NS_PER_S))
    alarmed.clock.leap(1.1 * DAY_S)
    retaining = alarmed.retaining(days=1.0)
    await retaining.delete_old()
    assert (await alarmed.log())[-1].step == "picture-deleted"
    assert len(alarmed.files()) == 1
