"""What a unit reports where it stands is an alarm with a picture; over MQTT and the API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway import fielded
from gateway.alarming import Alarming, open_alarming
from gateway.api.times import iso
from gateway.fleet import footage, rpc
from gateway.telemetry.client import UnitClient
from kernel.clock import NS_PER_S, Clock
from kernel.media import VideoCodec
from tests.fakes.photos import photo
from tests.fakes.unit_at_work import UNIT, Field, following, reading, unit_at_work
from tests.fakes.unit_field import cut
from tests.fakes.waiting import told

GONE = rpc.Problem(type="camera.unreachable", title="It does not answer.", status=502)
RECORDED_NS, ENDED_NS = 1_790_000_000 * NS_PER_S, 1_790_000_030 * NS_PER_S


@pytest_asyncio.fixture
async def field(tmp_path: Path) -> AsyncIterator[Field]:
    """Return it, with the unit connected."""
    async with unit_at_work(tmp_path) as field:
        yield field


async def test_a_knock_is_an_alarm_with_the_cameras_picture(field: Field) -> None:
    """It is told on the socket, stands in the log, and what the camera saw is kept with the deployment."""
    field.desk.host.snapshot_jpeg = photo(shade=77)
    await field.deploying.deployed()
    async with reading(field.desk, field.deploying.team) as socket:
        await field.says("event/shock", peak_g=5.5)
        alarm = await following(socket, "unit-alarm")
        assert (alarm["unit"], alarm["kind"], alarm["by"]) == ("D017", "knocked", 5.5)
        assert (alarm["cameras"], alarm["ends"], alarm["alarms"]) == ([field.deploying.camera], None, [])
        picture = await following(socket, "unit-picture")
        assert (picture["kind"], picture["camera"], picture["recorded"]) == ("knocked", field.deploying.camera, None)
    kept = await field.deploying.team.get(f"{field.deploying.path}/pictures/{picture['sha256']}")
    assert kept.content == field.desk.host.snapshot_jpeg
    log = (await field.deploying.team.get(f"{field.deploying.path}/log")).json()
    assert [line["step"] for line in log[-2:]] == ["alarm", "picture"]


async def test_what_a_unit_kept_while_its_link_was_away_has_its_own_time(field: Field) -> None:
    """A knock, and then fixes that lead off, all told at once: each is of then, and so is its picture."""
    await field.deploying.deployed()
    field.clock.leap(600)
    now_ns = field.clock.wall_ns()
    run = footage.RunSpan(start_ns=now_ns - 900 * NS_PER_S, end_ns=now_ns, codec=VideoCodec.H264, width=64, height=48)
    field.desk.host.timeline = footage.TimelineReply(spans=(run,), gaps=(), newest_ns=now_ns)
    async with reading(field.desk, field.deploying.team) as socket:
        await field.says("event/shock", ago_s=400, peak_g=5.5)
        for number in range(30):
            away = {"latitude": 51.5 + 0.0002 * number, "longitude": -0.1, "accuracy_m": 4, "satellites": 9}
            await field.says("state/position", ago_s=390 - 10 * number, **away)
        news = [await following(socket, "unit-alarm", "unit-picture") for _ in range(4)]
    knocked, left = [one for one in news if one["t"] == "unit-alarm"]
    pictures = [one for one in news if one["t"] == "unit-picture"]
    assert [knocked["kind"], left["kind"]] == ["knocked", "left"]
    assert knocked["happened"] < left["happened"] < left["at"]
    assert iso(now_ns - 410 * NS_PER_S) < knocked["happened"] < iso(now_ns - 390 * NS_PER_S)
    assert [one["recorded"] for one in pictures] == [knocked["happened"], left["happened"]]


async def test_a_theft_that_is_told_after_the_unit_was_said_to_be_down_is_told_on(field: Field) -> None:
    """Of where it stood then, to the room and the log; what happens after that, in the van, is told to nobody."""
    await field.deploying.deployed()
    await field.says("state/case", open=False)
    field.clock.leap(300)
    await field.deploying.step("removal", text="Over.")
    field.clock.leap(300)
    async with reading(field.desk, field.deploying.team) as socket:
        await field.says("event/moved", ago_s=400)
        await field.says("event/shock", ago_s=100, peak_g=9.0)
        alarm = await following(socket, "unit-alarm", "unit-no-picture")
        blind = await following(socket, "unit-alarm", "unit-no-picture")
    assert (alarm["t"], alarm["kind"], alarm["street"], alarm["down"]) == ("unit-alarm", "moved", "Mill Lane", True)
    assert alarm["happened"] < alarm["at"]
    assert (blind["t"], blind["why"]) == ("unit-no-picture", "taken-down")
    known = (await field.deploying.team.get(field.deploying.path)).json()
    assert (known["stage"], [one["kind"] for one in known["unseen"]]) == ("removed", ["moved"])
    line = known["unseen"][0]["line"]
    seen = await field.deploying.step("acknowledgements", kind="moved", line=line, text="Police called.")
    assert seen["unseen"] == []


async def test_an_alarm_that_lasts_is_told_with_its_end(field: Field) -> None:
    """With the place that the unit said last; and its end names what it ends."""
    await field.deploying.deployed()
    async with reading(field.desk, field.deploying.team) as socket:
        await field.says("state/position", latitude=51.5002, longitude=-0.1, accuracy_m=4, satellites=9)
        await field.says("state/case", open=True)
        alarm = await following(socket, "unit-alarm")
        assert (alarm["kind"], alarm["ends"], alarm["alarms"]) == ("opened", None, ["opened"])
        assert alarm["place"] == {"latitude": 51.5002, "longitude": -0.1}
        await field.says("state/case", open=False)
        over = await following(socket, "unit-alarm")
        assert (over["kind"], over["ends"], over["alarms"]) == ("closed", "opened", [])


async def test_a_lost_link_is_told_with_where_the_unit_stands(field: Field) -> None:
    """Its last will tells the room at once: which unit, which cameras, and by which deployment they stand there."""
    assert (await field.desk.admin.put(UNIT, json={"camera": field.deploying.camera})).status_code == 200
    standing = await field.deploying.deployed()
    async with reading(field.desk, field.deploying.team) as socket:
        cut(field.client)
        while (news := (await following(socket, "units"))["units"][0])["link"] != "gone":
            pass
    assert (news["label"], news["cameras"]) == ("D017", [field.deploying.camera])
    assert news["deployment"] == standing["id"]


async def test_a_camera_that_is_gone_leaves_its_last_recorded_picture(field: Field) -> None:
    """Where it makes no picture any more the alarm has the last one that is on the disk, with its time."""
    field.desk.host.still_jpeg = photo(shade=78)
    run = footage.RunSpan(start_ns=RECORDED_NS, end_ns=ENDED_NS, codec=VideoCodec.H264, width=1280, height=720)
    field.desk.host.timeline = footage.TimelineReply(spans=(run,), gaps=(), newest_ns=ENDED_NS)
    field.desk.host.refuse["snapshot"] = GONE
    await field.deploying.deployed()
    async with reading(field.desk, field.deploying.team) as socket:
        await field.says("event/tamper")
        picture = await following(socket, "unit-picture")
    assert picture["recorded"] == iso(ENDED_NS - 1)
    kept = await field.deploying.team.get(f"{field.deploying.path}/pictures/{picture['sha256']}")
    assert kept.content == field.desk.host.still_jpeg


async def test_an_alarm_without_any_picture_is_an_alarm(field: Field) -> None:
    """Nothing is recorded and the camera is gone: the alarm stands alone, and the next one is heard as well."""
    field.desk.host.refuse = {"snapshot": GONE, "still": GONE}
    await field.deploying.deployed()
    async with reading(field.desk, field.deploying.team) as socket:
        await field.says("event/tamper")
        assert (await following(socket, "unit-alarm"))["kind"] == "tampered"
        without = await following(socket, "unit-no-picture")
        assert (without["kind"], without["why"]) == ("tampered", "none-made")
        field.desk.host.refuse = {}
        field.desk.host.snapshot_jpeg = photo(shade=79)
        await field.says("state/case", open=True)
        assert (await following(socket, "unit-picture"))["kind"] == "opened"


async def test_units_are_heard_inside_those_who_judge_what_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is heard is acknowledged: it begins once that is judged, and ends before."""
    order: list[str] = []
    run = UnitClient.run

    @asynccontextmanager
    async def judging(*rooms: Any, clock: Clock) -> AsyncIterator[Alarming]:
        async with open_alarming(*rooms, clock=clock) as alarming:
            order.append("judged")
            yield alarming
            order.append("judged no more")

    async def hearing(client: UnitClient) -> None:
        order.append("heard")
        try:
            await run(client)
        finally:
            order.append("heard no more")

    monkeypatch.setattr(fielded, "open_alarming", judging)
    monkeypatch.setattr(UnitClient, "run", hearing)
    async with unit_at_work(tmp_path):
        pass
    assert order == ["judged", "heard", "heard no more", "judged no more"]


async def test_what_stands_nowhere_raises_nothing(field: Field) -> None:
    """A unit in the store is knocked all day: it is heard, and nobody is called."""
    await field.says("event/shock", peak_g=5.5)

    async def states() -> Any:
        return (await field.desk.admin.get(UNIT)).json()["states"]

    await told(states, lambda said: any(one["kind"] == "event/shock" for one in said), what="the knock")
    assert (await field.deploying.team.get("/api/v1/deployments")).json() == []
