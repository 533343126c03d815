"""Shares for partners' own systems over the API: who makes them, what hosts are told, and who is known to watch."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from config.outgoing import OutgoingSettings
from gateway.audit.leaves import Entry
from gateway.fleet import rpc
from gateway.fleet.outlets import credential_of
from kernel.clock import SystemClock
from kernel.ids import CameraId, StreamName
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.outside import officer, organisation, share
from tests.fakes.waiting import until

CLOCK = SystemClock()
SDP = {"Content-Type": "application/sdp"}


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Return a gateway whose hosts listen for RTSPS."""
    settings = settings_in(tmp_path).model_copy(update={"outgoing": OutgoingSettings(rtsps=True)})
    async with open_desk(tmp_path, settings=settings) as desk:
        yield desk


class Given:
    """A camera that is shared with an organisation, and a system of it that takes the share."""

    def __init__(self, desk: Desk, camera: str, share_id: str, made: dict[str, Any]) -> None:
        self.desk = desk
        self.camera = CameraId(camera)
        self.share = share_id
        self.made = made
        self.path = f"/api/v1/shares/{share_id}/outlets"

    @property
    def outlet(self) -> str:
        """Return the outlet's identifier."""
        return str(self.made["id"])

    def comes(self, session: str = "v1", *, stream: StreamName = StreamName.MAIN) -> rpc.ViewerState:
        """Have the system come to see the camera, as a host would tell."""
        outlet = self.desk.host.outlets[self.outlet]
        viewer = rpc.ViewerState(
            session=session,
            kind="rtsp",
            outlet=outlet.id,
            camera=self.camera,
            stream=stream,
            shown=stream,
            asked=stream,
            who=outlet.subject,
            address="192.0.2.9",
            user=outlet.user,
            access_session=outlet.access_session,
            since_ns=CLOCK.wall_ns(),
            connected=True,
            frames_sent=90,
            frames_dropped=10,
        )
        self.desk.host.viewers[session] = viewer
        self.desk.host.say(rpc.ViewerCame(viewer=viewer))
        return viewer

    def goes(self, viewer: rpc.ViewerState, reason: str = "closed by the viewer") -> None:
        """Have it go again."""
        self.desk.host.viewers.pop(viewer.session, None)
        self.desk.host.say(rpc.ViewerWent(viewer=viewer, reason=reason, wall_ns=CLOCK.wall_ns()))

    async def known(self, count: int) -> None:
        """Wait until so many views of the share are known."""
        shares = self.desk.gateway.rooms.sharing.outlets
        await until(lambda: shares.watching().get(self.share, 0) == count, what=f"{count} views")


async def given(desk: Desk, *, networks: tuple[str, ...] = (), **facts: Any) -> Given:
    """Share a camera and give the share to a system."""
    camera = await desk.enrol(number=7)
    body = {"organisation": await organisation(desk, networks=networks), "cameras": [camera], **facts}
    share_id = (await desk.admin.post("/api/v1/shares", json=body)).json()["id"]
    answer = await desk.admin.post(f"/api/v1/shares/{share_id}/outlets", json={"name": "VMS 2"})
    assert answer.status_code == 201, answer.text
    return Given(desk, camera, share_id, answer.json())


async def test_a_system_is_told_its_addresses_and_its_password_once(desk: Desk) -> None:
    """The answer has all that a VMS asks for; the list has it without the password, and the host can check it."""
    at = await given(desk, networks=("192.0.2.0/24",), viewer_limit=3, stream="sub")
    told = desk.host.outlets[at.outlet]
    assert at.made["addresses"] == [{"camera": at.camera, "number": 7, "url": f"rtsps://127.0.0.1:8322/{told.name}/7"}]
    assert at.made["open"]
    assert told.credential == credential_of(told.name, at.made["username"], at.made["password"])
    assert (told.networks, told.viewers_max, told.best) == (("192.0.2.0/24",), 3, StreamName.SUB)
    listed = await desk.admin.get(at.path)
    assert at.made["password"] not in listed.text
    assert listed.json() == [{key: value for key, value in at.made.items() if key != "password"}]


async def test_what_is_made_and_taken_away_is_recorded(desk: Desk) -> None:
    """Who, which system, of which share; and never a password."""
    at = await given(desk, reference="INC-7")
    assert (await desk.admin.delete(f"{at.path}/{at.outlet}")).status_code == 204
    assert desk.host.outlets == {}
    assert (await desk.admin.delete(f"{at.path}/{at.outlet}")).status_code == 404
    for action in ("outlet.made", "outlet.removed"):
        (entry,) = await desk.audit(action)
        details = json.loads(entry.details)
        assert (entry.actor, entry.subject, entry.reference) == ("root", at.share, "INC-7")
        assert (details["outlet"], details["name"], details["username"]) == (at.outlet, "VMS 2", at.made["username"])
        assert at.made["password"] not in entry.details


async def test_the_end_of_the_share_is_the_end_of_the_outlet(desk: Desk) -> None:
    """The host has it no more, and there is no list of it."""
    at = await given(desk)
    assert (await desk.admin.delete(f"/api/v1/shares/{at.share}")).status_code == 200
    await until(lambda: not desk.host.outlets, what="the host to be told")
    assert (await desk.admin.get(at.path)).status_code == 404


async def test_a_standing_credential_is_a_sharp_act(desk: Desk) -> None:
    """Who signed in long ago proves once more who they are; taking one away needs nothing of the kind."""
    at = await given(desk)
    async with desk.gateway.database.write() as connection:
        await connection.exec_driver_sql("UPDATE sessions SET confirmed_ns = 0")
    answer = await desk.admin.post(at.path, json={"name": "another"})
    assert (answer.status_code, answer.json()["type"]) == (403, "access.confirm")
    assert (await desk.admin.delete(f"{at.path}/{at.outlet}")).status_code == 204


async def test_only_who_may_share_its_cameras_gives_a_share_to_systems(desk: Desk) -> None:
    """A viewer may not, and neither may the people whom it is shared with."""
    at = await given(desk)
    viewer = await desk.person("viewer")
    for method, path in (("GET", at.path), ("POST", at.path), ("DELETE", f"{at.path}/{at.outlet}")):
        assert (await viewer.request(method, path, json={"name": "x"} if method == "POST" else None)).status_code == 403


@pytest.mark.parametrize("kind", ["switched off", "follows"])
async def test_what_cannot_be_is_said(desk: Desk, kind: str) -> None:
    """Where no host listens, and where the camera would change under a fixed address."""
    pc, camera = await officer(desk), await desk.enrol()
    share_id = await share(desk, pc, camera, follow=kind == "follows")
    if kind == "switched off":
        off = desk.gateway.rooms.settings.model_copy(update={"outgoing": OutgoingSettings()})
        object.__setattr__(desk.gateway.rooms, "settings", off)
    answer = await desk.admin.post(f"/api/v1/shares/{share_id}/outlets", json={"name": "VMS"})
    assert (answer.status_code, answer.json()["type"]) == (422, "share.refused")
    assert desk.host.outlets == {}


async def seen(desk: Desk, action: str) -> list[tuple[Entry, dict[str, Any]]]:
    """Return what was recorded of views, with its details."""
    return [(entry, json.loads(entry.details)) for entry in await desk.audit(action)]


async def test_a_system_that_watches_is_in_the_audit_and_in_every_list(desk: Desk) -> None:
    """Who, from where, from when to when, by which share, for what; no change of anybody's rights ends it."""
    at = await given(desk, reference="INC-7")
    viewer = at.comes()
    await at.known(1)
    rooms = desk.gateway.rooms
    await rooms.ledger.sweep()
    rooms.ledger.rights_changed()
    (of_share,) = (await desk.admin.get(f"/api/v1/shares/{at.share}/viewers")).json()
    assert (of_share["kind"], of_share["name"], of_share["organisation"]) == ("rtsp", "VMS 2", "Thames Valley Police")
    assert (of_share["user_id"], of_share["share"], of_share["loss_percent"]) == (at.outlet, at.share, 10.0)
    (of_outlet,) = (await desk.admin.get(at.path)).json()
    assert [one["camera"] for one in of_outlet["viewers"]] == [at.camera]
    (of_host,) = (await desk.admin.get("/api/v1/hosts/0/viewers")).json()
    assert (of_host["kind"], of_host["outlet"]) == ("rtsp", at.outlet)
    assert (await desk.admin.get(f"/api/v1/shares/{at.share}")).json()["viewers"] == 1
    at.goes(viewer)
    await at.known(0)
    ((begun, _),) = await seen(desk, "view.started")
    ((ended, details),) = await seen(desk, "view.ended")
    assert (begun.actor, begun.address) == ("VMS 2, Thames Valley Police", "192.0.2.9")
    assert (begun.rule, begun.reference, ended.reference) == (f"share:{at.share}", "INC-7", "INC-7")
    assert (ended.from_ns, ended.subject) == (viewer.since_ns, at.camera)
    assert (details["outlet"], details["reason"]) == (at.outlet, "closed by the viewer")


async def test_a_persons_view_is_for_the_shares_incident_too(desk: Desk) -> None:
    """What a share is for stands with every view by it, by whatever way; a view of the room's own is for nothing."""
    camera, pc = await desk.enrol(), await officer(desk)
    await share(desk, pc, camera, reference="INC-7")
    await desk.watch(pc.browser, camera)
    await desk.watch(desk.admin, camera)
    assert [entry.reference for entry in await desk.audit("view.started")] == ["INC-7", ""]


async def test_a_view_that_came_and_went_unheard_is_recorded_whole(desk: Desk) -> None:
    """A host tells of it when it is linked again: from when to when is as it was."""
    at = await given(desk)
    viewer = at.comes()
    await at.known(1)
    unheard = viewer.model_copy(update={"session": "v2", "since_ns": viewer.since_ns - 60 * 10**9})
    desk.host.say(rpc.ViewerWent(viewer=unheard, reason="was silent", wall_ns=viewer.since_ns - 30 * 10**9))
    await until(lambda: ("view", "v2") in desk.gateway.rooms.ledger._over, what="the short view")
    ((ended, details),) = await seen(desk, "view.ended")
    assert (ended.from_ns, ended.to_ns) == (unheard.since_ns, unheard.since_ns + 30 * 10**9)
    assert (details["reason"], details["seconds"]) == ("was silent", 30)


async def test_systems_have_the_places_of_the_share(desk: Desk) -> None:
    """A person and a system fill a share of two: hosts let no other system in, and no other person comes."""
    camera, pc = await desk.enrol(), await officer(desk)
    share_id = await share(desk, pc, camera, viewer_limit=2)
    made = (await desk.admin.post(f"/api/v1/shares/{share_id}/outlets", json={"name": "VMS"})).json()
    at = Given(desk, camera, share_id, made)
    address = await desk.watch(pc.browser, camera)
    assert not desk.host.outlets[at.outlet].full
    viewer = at.comes()
    await until(lambda: desk.host.outlets[at.outlet].full, what="the host to be told that it is full")
    full = await pc.browser.post(f"/whep/{camera}/main", content=b"v=0", headers=SDP)
    assert (full.status_code, full.json()["type"]) == (503, "share.full")
    at.goes(viewer)
    await until(lambda: not desk.host.outlets[at.outlet].full, what="the host to be told of a place")
    await pc.browser.delete(address)


async def test_two_that_come_at_once_are_one_too_many(desk: Desk) -> None:
    """Hosts know their own viewers alone; of those beyond the places the last is let go, and the record says why."""
    at = await given(desk, viewer_limit=1)
    at.comes("v1")
    at.comes("v2")
    await until(lambda: set(desk.host.viewers) == {"v1"}, what="the last to be let go")
    await at.known(1)
    assert [details["reason"] for _, details in await seen(desk, "view.ended")] == ["the places of the share are taken"]


async def test_a_share_of_the_sub_stream_shows_no_other_in_its_place(desk: Desk) -> None:
    """The host is told that main is no answer, where it would be to somebody of the room or by a wider share."""
    camera, pc = await desk.enrol(), await officer(desk)
    share_id = await share(desk, pc, camera, stream="sub")
    await desk.watch(pc.browser, camera, "sub")
    await desk.watch(desk.admin, camera, "sub")
    await desk.admin.patch(f"/api/v1/shares/{share_id}", json={"stream": "line"})
    await desk.watch(pc.browser, camera, "sub")
    assert [asked["best"] for asked in desk.host.offered] == ["sub", "main", "main"]


async def test_a_share_that_is_narrowed_to_sub_ends_main(desk: Desk) -> None:
    """Views of the main stream end at once, those of the sub stream go on."""
    camera, pc = await desk.enrol(), await officer(desk)
    share_id = await share(desk, pc, camera)
    await desk.watch(pc.browser, camera, "main")
    await desk.watch(pc.browser, camera, "sub")
    await desk.watch(desk.admin, camera, "main")
    assert (await desk.admin.patch(f"/api/v1/shares/{share_id}", json={"stream": "sub"})).status_code == 200
    await until(lambda: len(desk.host.viewers) == 2, what="the main view to end")
    left = {(viewer.user == pc.id, viewer.stream) for viewer in desk.host.viewers.values()}
    assert left == {(True, StreamName.SUB), (False, StreamName.MAIN)}


async def test_a_sub_view_that_is_shown_main_ends_when_main_is_given_no_more(desk: Desk) -> None:
    """What counts is what is shown, not what was asked for."""
    camera, pc = await desk.enrol(), await officer(desk)
    share_id = await share(desk, pc, camera)
    desk.host.shown = {"sightline-stream": "main"}
    await desk.watch(pc.browser, camera, "sub")
    await desk.admin.patch(f"/api/v1/shares/{share_id}", json={"stream": "sub"})
    await until(lambda: not desk.host.viewers, what="the view to end")
