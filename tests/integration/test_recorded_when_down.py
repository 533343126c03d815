"""What a unit recorded after it was down, as nobody had said so yet: administrators find it, and nobody else."""

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio

from gateway.fleet import footage
from kernel.clock import NS_PER_S, to_ns, utc
from kernel.media import VideoCodec
from tests.fakes.deploying import Deploying
from tests.fakes.desk import Desk, open_desk
from tests.fakes.leaping import LeapingClock
from tests.fakes.photos import photo

DOWN_S, STOOD_S = 300, 400


def instant_ns(text: str) -> int:
    """Return an instant as an answer has it."""
    return to_ns(dt.datetime.fromisoformat(text))


class Late:
    """A unit that stood for some minutes and was down for others before that was told; it was recorded throughout."""

    def __init__(self, desk: Desk, deploying: Deploying, down_ns: int, told_ns: int) -> None:
        self.desk, self.deploying = desk, deploying
        self.path = f"/api/v1/cameras/{deploying.camera}"
        self.down_ns, self.told_ns = down_ns, told_ns

    def range(self, start_ns: int, end_ns: int) -> dict[str, str]:
        """Return one, as it is asked for."""
        return {"start": utc(start_ns).isoformat(), "end": utc(end_ns).isoformat()}

    async def get(self, client: httpx.AsyncClient, what: str, start_ns: int, end_ns: int) -> httpx.Response:
        """Ask for a range."""
        return await client.get(f"{self.path}/{what}", params=self.range(start_ns, end_ns))


@pytest_asyncio.fixture
async def late(tmp_path: Path) -> AsyncIterator[Late]:
    """Return it."""
    clock = LeapingClock()
    async with open_desk(tmp_path, clock=clock) as desk:
        deploying = await Deploying.at(desk)
        await deploying.deployed()
        clock.leap(STOOD_S + DOWN_S)
        sent_ns = clock.wall_ns()
        when: dict[str, Any] = {
            "done_at": utc(sent_ns - DOWN_S * NS_PER_S).isoformat(),
            "sent_at": utc(sent_ns).isoformat(),
        }
        known = await deploying.step("removal", text="Over.", **when)
        (line,) = [
            one for one in (await deploying.team.get(f"{deploying.path}/log")).json() if one["step"] == "removed"
        ]
        assert [known["recorded_when_down"][0]["start"], known["recorded_when_down"][0]["end"]] == [
            line["done"],
            line["at"],
        ]
        # By the gateway's clock: how much later than it was sent it came is the machine's affair.
        it = Late(desk, deploying, instant_ns(line["done"]), instant_ns(line["at"]))
        run = footage.RunSpan(
            start_ns=it.down_ns - 100 * NS_PER_S, end_ns=it.told_ns, codec=VideoCodec.H264, width=64, height=48
        )
        desk.host.timeline = footage.TimelineReply(spans=(run,), gaps=(), newest_ns=it.told_ns)
        desk.host.still_jpeg = photo(shade=3)
        yield it


async def test_it_is_told_to_administrators_alone(late: Late) -> None:
    """The timeline ends for everybody else with the moment in which it was taken down."""
    start_ns, end_ns = late.down_ns - 100 * NS_PER_S, late.told_ns
    ends = []
    for client in (late.deploying.team, late.deploying.chief, late.desk.admin):
        (span,) = (await late.get(client, "timeline", start_ns, end_ns)).json()["spans"]
        ends.append(span["end"])
    (recorded_when_down,) = (await late.deploying.team.get(late.deploying.path)).json()["recorded_when_down"]
    assert ends[:2] == [recorded_when_down["start"]] * 2
    assert ends[2] > recorded_when_down["start"]


async def test_nobody_else_plays_it_or_takes_it_away(late: Late) -> None:
    """Refused with the reason, and on record; what was recorded while it stood is had as before."""
    inside = (late.down_ns + 60 * NS_PER_S, late.told_ns - 60 * NS_PER_S)
    answer = await late.get(late.deploying.team, "hls/main/index.m3u8", *inside)
    assert (answer.status_code, "was down then" in answer.json()["title"]) == (403, True)
    assert (await late.get(late.desk.admin, "hls/main/index.m3u8", *inside)).status_code == 200
    assert len(await late.desk.audit("access.refused")) >= 1
    before = (late.down_ns - 90 * NS_PER_S, late.down_ns - 60 * NS_PER_S)
    assert (await late.get(late.deploying.team, "hls/main/index.m3u8", *before)).status_code == 200


async def test_an_administrator_has_it_deleted(late: Late) -> None:
    """From when it was down until it stood somewhere again, or now; what had to be kept is in the log."""
    path = f"{late.deploying.path}/erasure"
    assert (await late.deploying.chief.post(path, json={})).status_code == 403
    answer = await late.desk.admin.post(path, json={"key": "erase-once"})
    assert answer.status_code == 201, answer.text
    assert (await late.desk.admin.post(path, json={"key": "erase-once"})).status_code == 200
    spans = late.desk.host.erased
    assert spans
    assert all(abs(start_ns - late.down_ns) < NS_PER_S for start_ns, _ in spans)
    assert all(end_ns >= late.told_ns for _, end_ns in spans)
    lines = (await late.deploying.team.get(f"{late.deploying.path}/log")).json()
    assert [line["said"] for line in lines if line["step"] == "footage-deleted"] == [{"files": 2, "kept": 1}]
    assert len(await late.desk.audit("deployment.footage-deleted")) == 1


async def test_where_there_is_none_nothing_is_deleted(late: Late) -> None:
    """A deployment whose unit was said to be down at once has nothing of the kind."""
    await late.deploying.refer()
    answer = await late.desk.admin.post(f"{late.deploying.path}/erasure", json={})
    assert (answer.status_code, answer.json()["type"]) == (409, "deployment.step")
    assert late.desk.host.erased == []
