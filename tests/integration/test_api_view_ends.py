"""Each host knows until when the views at it may go on: by the share, the grant, the token they were opened by."""

from datetime import timedelta
from typing import Any

import pytest

from gateway.fleet import rpc
from kernel.clock import SystemClock, to_ns, utc
from kernel.ids import StreamName
from tests.fakes.desk import Desk
from tests.fakes.outside import Officer, officer, share
from tests.fakes.waiting import until

CLOCK = SystemClock()


def end_of(desk: Desk, share_id: str) -> int:
    """Return when a share ends."""
    return desk.gateway.rooms.sharing.shares.get(share_id).ends_ns


def known(desk: Desk, user: str) -> list[int | None]:
    """Return until when the host lets the views of somebody go on."""
    return [viewer.until_ns for viewer in desk.host.viewers.values() if viewer.user == user]


async def watched(desk: Desk, **facts: Any) -> tuple[Officer, str, str]:
    """Have somebody outside watch a camera; return them, the camera and the share."""
    camera, pc = await desk.enrol(), await officer(desk)
    share_id = await share(desk, pc, camera, **facts)
    await desk.watch(pc.browser, camera)
    return pc, camera, share_id


async def test_a_partners_view_carries_the_end_of_its_share(desk: Desk) -> None:
    """With the offer, so that there is no moment without it; and that it is of somebody outside."""
    _, _, share_id = await watched(desk)
    (offered,) = desk.host.offered
    assert (offered["until_ns"], offered["outside"]) == (str(end_of(desk, share_id)), "1")
    assert desk.host.limits == []


async def test_a_view_by_a_grant_carries_its_end_and_one_by_a_role_none(desk: Desk) -> None:
    """People of the room are on no lease, and whose right lasts is let go on."""
    camera = await desk.enrol()
    member = await desk.person("member")
    user = (await member.get("/api/v1/session")).json()["user"]["id"]
    end = utc(CLOCK.wall_ns() + 3600 * 10**9)
    wish = {"role": "viewer", "user": user, "end": end.isoformat()}
    assert (await desk.admin.post("/api/v1/grants", json=wish)).status_code == 201
    await desk.watch(member, camera)
    await desk.watch(desk.admin, camera)
    by_grant, by_role = desk.host.offered
    assert (int(by_grant["until_ns"]), "outside" in by_grant) == (to_ns(end), False)
    assert ("until_ns" in by_role, "outside" in by_role) == (False, False)


@pytest.mark.parametrize("by", [timedelta(minutes=30), timedelta(minutes=-30)], ids=["extended", "shortened"])
async def test_the_host_is_told_when_the_share_ends_at_another_time(desk: Desk, by: timedelta) -> None:
    """The view goes on, with its new end."""
    pc, _, share_id = await watched(desk)
    end = utc(end_of(desk, share_id)) + by
    answer = await desk.admin.patch(f"/api/v1/shares/{share_id}", json={"end": end.isoformat()})
    assert answer.status_code == 200, answer.text
    await until(lambda: known(desk, pc.id) == [end_of(desk, share_id)], what="the host to be told")
    assert end_of(desk, share_id) == to_ns(end)


async def test_a_host_that_could_not_be_told_is_told_later(desk: Desk) -> None:
    """A share that was shortened while its host was busy ends there on time all the same."""
    pc, _, share_id = await watched(desk)
    desk.host.refuse["limits"] = rpc.Problem(type="host.busy", title="Busy.", status=503)
    assert (await desk.admin.patch(f"/api/v1/shares/{share_id}", json={"minutes": 5})).status_code == 200
    await until(lambda: "POST /live/limits" in desk.host.asked, what="the host to be asked")
    desk.host.refuse.clear()
    await desk.gateway.rooms.ledger.sweep()
    await until(lambda: known(desk, pc.id) == [end_of(desk, share_id)], what="the host to be told")


async def test_the_end_is_that_of_what_gives_the_stream(desk: Desk) -> None:
    """Of two shares, a short one of both streams and a long one of sub: main ends with the short one."""
    camera, pc = await desk.enrol(), await officer(desk)
    short = await share(desk, pc, camera, minutes=10)
    long = await share(desk, pc, camera, minutes=50, stream="sub")
    for stream in ("main", "sub"):
        await desk.watch(pc.browser, camera, stream)
    ends = {viewer.asked: viewer.until_ns for viewer in desk.host.viewers.values()}
    assert ends == {StreamName.MAIN: end_of(desk, short), StreamName.SUB: end_of(desk, long)}


async def test_what_is_shown_in_the_place_of_sub_ends_with_what_gives_main(desk: Desk) -> None:
    """The host answers with main: only then it is known which share's end is the view's, and the host is told."""
    camera, pc = await desk.enrol(), await officer(desk)
    short = await share(desk, pc, camera, minutes=10)
    await share(desk, pc, camera, minutes=50, stream="sub")
    desk.host.shown = {"sightline-stream": "main"}
    await desk.watch(pc.browser, camera, "sub")
    await until(lambda: known(desk, pc.id) == [end_of(desk, short)], what="the host to be told")


async def test_a_main_view_that_a_weak_line_lowered_ends_when_main_is_given_no_more(desk: Desk) -> None:
    """Found by a gateway that did not open it, at a moment at which it carries sub: it is one of main."""
    _, _, share_id = await watched(desk)
    (viewer,) = desk.host.viewers.values()
    lowered = {"session": "session-9", "stream": StreamName.SUB}
    desk.host.viewers = {"session-9": viewer.model_copy(update=lowered)}
    await desk.gateway.rooms.ledger.sweep()
    assert desk.gateway.rooms.ledger.get(("view", "session-9")) is not None
    await desk.admin.patch(f"/api/v1/shares/{share_id}", json={"stream": "sub"})
    await until(lambda: not desk.host.viewers, what="the view to end")
