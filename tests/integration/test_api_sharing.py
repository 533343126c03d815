"""Shares over the API: made, changed, ended, limited; told to both sides; recorded."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio
from websockets.exceptions import InvalidStatus

from gateway.api.times import iso
from tests.fakes.desk import PASSWORD, Desk
from tests.fakes.outside import heard, officer, organisation, share
from tests.fakes.waiting import until


async def test_a_share_shows_its_cameras_and_no_others(desk: Desk) -> None:
    """The recipient sees what it is, and opens a view of it; of another camera none."""
    camera, pc = await desk.enrol(number=7), await officer(desk)
    identity = await share(desk, pc, camera, title="Knife, High Street", reference="CAD 1234")
    (mine,) = await pc.mine()
    assert (mine["id"], mine["title"], mine["reference"]) == (identity, "Knife, High Street", "CAD 1234")
    assert [(one["id"], one["number"], one["live"]) for one in mine["cameras"]] == [(camera, 7, True)]
    await desk.watch(pc.browser, camera)
    refused = await pc.browser.post(f"/whep/{'f' * 32}/main", content=b"v=0")
    assert refused.status_code == 403
    (started,) = await desk.audit("view.started")
    assert started.actor == "pc.1234"


async def test_a_share_lasts_an_hour_unless_said_otherwise(desk: Desk) -> None:
    """Sixty minutes from now."""
    camera, pc = await desk.enrol(), await officer(desk)
    before_s = desk.gateway.rooms.clock.wall_ns() / 1e9
    await share(desk, pc, camera)
    (row,) = desk.gateway.rooms.sharing.shares.open()
    assert 0 <= row.ends_ns / 1e9 - 3600 - before_s < 60


async def test_ending_a_share_cuts_its_views(desk: Desk) -> None:
    """The host ends them at once, and nothing about the old address works any more."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await share(desk, pc, camera)
    session = await desk.watch(pc.browser, camera)
    answer = await desk.admin.delete(f"/api/v1/shares/{identity}")
    assert (answer.status_code, answer.json()["ended"] is not None) == (200, True)
    await until(lambda: not desk.host.viewers, what="the view to end")
    fragment = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": '"1"'}
    assert (await pc.browser.patch(session, content=b"a=x", headers=fragment)).status_code == 403
    assert (await pc.browser.delete(session)).status_code == 403
    assert (await pc.browser.post(f"/whep/{camera}/main", content=b"v=0")).status_code == 403
    assert desk.host.patches == []
    assert await pc.mine() == []
    assert (await desk.admin.delete(f"/api/v1/shares/{identity}")).status_code == 404
    (over,) = (await desk.admin.get("/api/v1/shares?over=true")).json()
    assert over["id"] == identity
    (ended,) = await desk.audit("share.ended")
    assert (ended.actor, ended.subject) == ("root", identity)
    (view,) = await desk.audit("view.ended")
    assert '"reason":"right ended"' in view.details


async def test_an_old_view_is_not_taken_up_by_a_new_share(desk: Desk) -> None:
    """Shared again, the old address stays dead; a new offer is needed."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await share(desk, pc, camera)
    session = await desk.watch(pc.browser, camera)
    await desk.admin.delete(f"/api/v1/shares/{identity}")
    await until(lambda: not desk.host.viewers, what="the view to end")
    await share(desk, pc, camera)
    fragment = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": '"1"'}
    assert (await pc.browser.patch(session, content=b"a=x", headers=fragment)).status_code == 404
    assert (await pc.browser.delete(session)).status_code == 404
    assert await desk.watch(pc.browser, camera) != session


async def test_all_shares_are_ended_by_one_call(desk: Desk) -> None:
    """Every one, with all its views, by one call to the host."""
    camera, pc = await desk.enrol(), await officer(desk)
    for _ in range(3):
        await share(desk, pc, camera)
        await desk.watch(pc.browser, camera)
    answer = await desk.admin.delete("/api/v1/shares")
    assert len(answer.json()) == 3
    await until(lambda: not desk.host.viewers, what="the views to end")
    assert desk.host.asked.count("POST /live/end") == 1
    assert len(await desk.audit("share.ended")) == 3


async def test_a_view_that_is_opened_while_its_share_ends_is_cut(desk: Desk) -> None:
    """The host answers an offer of somebody who may see nothing by then: it ends all the same."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await share(desk, pc, camera)
    desk.host.slow.clear()
    rooms = desk.gateway.rooms

    async def ended() -> None:
        await until(lambda: any("/live/main" in one for one in desk.host.asked), what="the offer to reach the host")
        await rooms.sharing.shares.end([identity], by=None)
        desk.host.slow.set()

    ending = asyncio.create_task(ended())
    await pc.browser.post(f"/whep/{camera}/main", content=b"v=0", headers={"Content-Type": "application/sdp"})
    await ending
    await until(lambda: not desk.host.viewers, what="the view to end")


async def test_a_share_is_narrowed(desk: Desk) -> None:
    """Who is taken out of it sees nothing any more; the others go on."""
    at = await organisation(desk)
    one, other = await officer(desk, at), await officer(desk, at, username="pc.9")
    camera = await desk.enrol()
    identity = await share(desk, one, camera, recipients=[one.id, other.id])
    for pc in (one, other):
        await desk.watch(pc.browser, camera)
    answer = await desk.admin.patch(f"/api/v1/shares/{identity}", json={"recipients": [other.id]})
    assert answer.status_code == 200
    await until(lambda: len(desk.host.viewers) == 1, what="one view to end")
    assert [viewer.user for viewer in desk.host.viewers.values()] == [other.id]
    assert await one.mine() == []


async def test_a_share_is_extended(desk: Desk) -> None:
    """It ends so many minutes from now."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await share(desk, pc, camera, minutes=1)
    before = desk.gateway.rooms.sharing.shares.get(identity).ends_ns
    assert (await desk.admin.patch(f"/api/v1/shares/{identity}", json={"minutes": 120})).status_code == 200
    assert desk.gateway.rooms.sharing.shares.get(identity).ends_ns - before > 118 * 60 * 10**9
    assert len(await desk.audit("share.changed")) == 1


async def test_a_tile_is_shared_by_two_keys(desk: Desk) -> None:
    """Only the camera is named: with whom, why and how long are the room's own."""
    pc, camera = await officer(desk), await desk.enrol()
    unnamed = await desk.admin.post("/api/v1/shares/quick", json={"camera": camera})
    assert (unnamed.status_code, unnamed.json()["type"]) == (422, "share.refused")
    settings = desk.gateway.rooms.settings
    usual = settings.sharing.model_copy(update={"organisation": "thames valley police"})
    object.__setattr__(desk.gateway.rooms, "settings", settings.model_copy(update={"sharing": usual}))
    answer = await desk.admin.post("/api/v1/shares/quick", json={"camera": camera})
    assert (answer.status_code, answer.json()["reason"]) == (201, "Live incident")
    assert len(await pc.mine()) == 1


async def test_a_share_follows_what_its_maker_selects(desk: Desk) -> None:
    """Recipients see that one camera, or none; somebody else's selection does not count."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await share(desk, pc, follow=True)
    assert (await pc.mine())[0]["cameras"] == []
    chosen = {"camera": camera}
    operator = await desk.person("operator")
    foreign = await operator.put(f"/api/v1/shares/{identity}/selected", json=chosen)
    assert foreign.status_code == 422
    assert (await desk.admin.put(f"/api/v1/shares/{identity}/selected", json=chosen)).status_code == 204
    assert [one["id"] for one in (await pc.mine())[0]["cameras"]] == [camera]
    await desk.watch(pc.browser, camera)
    assert (await desk.admin.put(f"/api/v1/shares/{identity}/selected", json={"camera": None})).status_code == 204
    await until(lambda: not desk.host.viewers, what="the view to end")


async def test_a_share_has_so_many_places(desk: Desk) -> None:
    """One viewer more is told to come again."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await share(desk, pc, camera, viewer_limit=1)
    first = await desk.watch(pc.browser, camera)
    sdp = {"Content-Type": "application/sdp"}
    full = await pc.browser.post(f"/whep/{camera}/main", content=b"v=0", headers=sdp)
    assert (full.status_code, full.json()["type"], full.headers["retry-after"]) == (503, "share.full", "10")
    assert (await desk.admin.get(f"/api/v1/shares/{identity}")).json()["viewers"] == 1
    await pc.browser.delete(first)
    await desk.watch(pc.browser, camera)


async def test_a_share_gives_the_stream_it_says(desk: Desk) -> None:
    """The main stream is not had by a share of the sub stream."""
    camera, pc = await desk.enrol(), await officer(desk)
    await share(desk, pc, camera, stream="sub")
    answer = await pc.browser.post(f"/whep/{camera}/main", content=b"v=0", headers={"Content-Type": "application/sdp"})
    assert (answer.status_code, answer.json()["type"]) == (403, "share.stream")
    await desk.watch(pc.browser, camera, "sub")


async def test_only_what_one_may_share_is_shared(desk: Desk) -> None:
    """Who may share one camera shares no other, and does not reach the shares of others."""
    pc = await officer(desk)
    desk.host.found = desk.host.found.model_copy(
        update={"identity": desk.host.found.identity.model_copy(update={"urn": "urn:uuid:other"})}
    )
    camera = await desk.enrol(address="192.0.2.9")
    group = (await desk.admin.post("/api/v1/groups", json={"name": "none", "cameras": []})).json()["id"]
    member = await desk.person("member", "mia")
    user = next(one["id"] for one in (await desk.admin.get("/api/v1/users")).json() if one["username"] == "mia")
    grant = {"role": "operator", "user": user, "group": group}
    assert (await desk.admin.post("/api/v1/grants", json=grant)).status_code == 201
    body = {"organisation": pc.organisation, "cameras": [camera]}
    refused = await member.post("/api/v1/shares", json=body)
    assert (refused.status_code, refused.json()["type"]) == (403, "access.forbidden")
    identity = await share(desk, pc, camera)
    assert (await member.get("/api/v1/shares")).json() == []
    assert (await member.delete(f"/api/v1/shares/{identity}")).status_code == 404
    assert (await member.delete("/api/v1/shares")).json() == []
    assert (await (await desk.person("viewer")).get("/api/v1/shares")).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"cameras": []}, 422),
        ({"recipients": []}, 422),
        ({"recipients": ["nobody"]}, 422),
        ({"cameras": ["f" * 32]}, 404),
        ({"organisation": "none"}, 404),
        ({"minutes": 1441}, 422),
        ({"end": "2020-01-01T00:00:00Z"}, 422),
        ({"start": "2199-01-01T00:00:00Z"}, 422),
        ({"kind": "standing"}, 422),
        ({"kind": "standing", "reference": "MoU 7", "review": "2199-01-01T00:00:00Z"}, 422),
        ({"review": "2199-01-01T00:00:00Z"}, 422),
        ({"kind": "test"}, 422),
        ({"viewer_limit": 0}, 422),
        ({"unknown": 1}, 422),
    ],
)
async def test_a_share_that_cannot_be_is_refused(
    shared_desk: tuple[Desk, str, str], wrong: dict[str, Any], status: int
) -> None:
    """No camera, nobody, too long, over before it begins, no agreement."""
    desk, at, camera = shared_desk
    body = {"organisation": at, "cameras": [camera], **wrong}
    answer = await desk.admin.post("/api/v1/shares", json=body)
    assert answer.status_code == status, answer.text
    assert desk.gateway.rooms.sharing.shares.open() == []


@pytest_asyncio.fixture
async def shared_desk(desk: Desk) -> tuple[Desk, str, str]:
    """Return a desk with an organisation and a camera."""
    return desk, await organisation(desk), await desk.enrol()


async def test_both_sides_hear_of_a_share(desk: Desk) -> None:
    """The recipient's socket tells what is shared, what is written and the end; the room's tells as much."""
    camera, pc = await desk.enrol(), await officer(desk)
    async with (
        desk.socket(pc.browser, "/api/v1/shares/events") as outside,
        desk.socket(desk.admin, "/api/v1/events") as inside,
    ):
        assert (await heard(outside, "mine"))["shares"] == []
        identity = await share(desk, pc, camera, title="Fire")
        assert (await heard(outside, "began"))["title"] == "Fire"
        assert [one["id"] for one in (await heard(outside, "mine"))["shares"]] == [identity]
        told = await heard(inside, "share")
        assert (told["what"], told["share"]["id"]) == ("began", identity)

        sent = await desk.admin.post(f"/api/v1/shares/{identity}/notes", json={"text": "He went left."})
        assert sent.status_code == 201
        assert (await heard(outside, "note"))["text"] == "He went left."
        sent = await pc.browser.post(f"/api/v1/shares/{identity}/notes", json={"text": "Seen, thanks."})
        assert sent.status_code == 201
        while (note := await heard(inside, "note"))["text"] != "Seen, thanks.":
            pass
        assert (note["name"], note["outside"]) == ("PC.1234", True)
        written = (await pc.browser.get(f"/api/v1/shares/{identity}/notes")).json()
        assert [(one["text"], one["outside"]) for one in written] == [
            ("He went left.", False),
            ("Seen, thanks.", True),
        ]

        await desk.admin.delete(f"/api/v1/shares/{identity}")
        assert (await heard(outside, "ended"))["share"] == identity
        assert (await heard(outside, "mine"))["shares"] == []
        while (await heard(inside, "share"))["what"] != "ended":
            pass
    assert len(await desk.audit("share.note")) == 2


async def test_a_note_is_one_line_of_a_share_of_ones_own(desk: Desk) -> None:
    """Longer, empty, of two lines, or in somebody else's share it is refused; too many in a minute too."""
    camera, pc = await desk.enrol(), await officer(desk)
    stranger = await officer(desk, await organisation(desk, "BTP"), username="pc.9")
    identity = await share(desk, pc, camera)
    for text in ("", "x" * 201, "one\ntwo"):
        answer = await pc.browser.post(f"/api/v1/shares/{identity}/notes", json={"text": text})
        assert answer.status_code == 422, text
    assert (await stranger.browser.get(f"/api/v1/shares/{identity}/notes")).status_code == 404
    viewer = await desk.person("viewer")
    assert (await viewer.get(f"/api/v1/shares/{identity}/notes")).status_code == 404
    body = {"text": "again"}
    seen = [
        (await pc.browser.post(f"/api/v1/shares/{identity}/notes", json=body)).status_code
        for _ in range(desk.gateway.rooms.settings.sharing.acts_per_minute + 1)
    ]
    assert (seen[-1], set(seen[:-1])) == (429, {201})


async def test_the_room_sees_who_watches(desk: Desk) -> None:
    """By name and organisation, how long and how well; on the wall, and of each share."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await share(desk, pc, camera)
    async with desk.socket(desk.admin, "/api/v1/events") as inside:
        session = (await desk.watch(pc.browser, camera)).rsplit("/", 1)[-1]
        known = desk.host.viewers[session]
        desk.host.viewers[session] = known.model_copy(update={"fraction_lost": 0.125, "rtt_ms": 42.04})
        await desk.gateway.rooms.ledger.sweep()
        while not (told := await heard(inside, "watching"))["cameras"]:
            pass
        (one,) = told["cameras"][camera]
        assert (one["name"], one["organisation"], one["share"]) == ("PC.1234", "Thames Valley Police", identity)
        (seen,) = (await desk.admin.get(f"/api/v1/shares/{identity}/viewers")).json()
        assert (seen["loss_percent"], seen["rtt_ms"], seen["connected"]) == (12.5, 42.0, True)
        await desk.admin.delete(f"/api/v1/shares/{identity}")
        while (await heard(inside, "watching"))["cameras"]:
            pass


async def test_a_standing_share_comes_up_for_review(desk: Desk) -> None:
    """It needs its agreement's reference and a date; reviewed, it goes on."""
    camera, pc = await desk.enrol(), await officer(desk)
    clock = desk.gateway.rooms.clock
    soon = iso(clock.wall_ns() + 10**9)
    identity = await share(desk, pc, camera, kind="standing", reference="MoU 7", review=soon)
    await until(desk.gateway.rooms.sharing.shares.due, what="the review to be due")
    (due,) = (await desk.admin.get("/api/v1/shares?due=true")).json()
    assert (due["id"], due["running"]) == (identity, True)
    later = iso(clock.wall_ns() + 86_400 * 10**9)
    answer = await desk.admin.post(f"/api/v1/shares/{identity}/reviewed", json={"review": later})
    assert answer.status_code == 200, answer.text
    assert (await desk.admin.get("/api/v1/shares?due=true")).json() == []
    other = await share(desk, pc, camera)
    refused = await desk.admin.post(f"/api/v1/shares/{other}/reviewed", json={"review": later})
    assert refused.status_code == 422


async def test_a_partner_who_signs_in_again_sees_the_share(desk: Desk) -> None:
    """The share is theirs, not their session's; the old cookie opens nothing once they have signed out."""
    camera, pc = await desk.enrol(), await officer(desk)
    await share(desk, pc, camera)
    old = dict(pc.browser.cookies)
    await pc.browser.delete("/api/v1/session")
    thief = await desk.anybody()
    thief.cookies.update(old)
    assert (await thief.get("/api/v1/shares/mine")).status_code == 401
    await pc.browser.post("/api/v1/session", json={"username": "pc.1234", "password": PASSWORD})
    assert len(await pc.mine()) == 1


async def test_the_sockets_are_for_their_own_side(desk: Desk) -> None:
    """Partners do not listen to the room, and the room has no socket of partners."""
    pc = await officer(desk)
    for browser, path, status in ((pc.browser, "/api/v1/events", 403), (desk.admin, "/api/v1/shares/events", 404)):
        with pytest.raises(InvalidStatus) as caught:
            async with desk.socket(browser, path):
                pass
        assert caught.value.response.status_code == status


async def test_a_share_outlives_the_gateway(desk: Desk) -> None:
    """What is stored is read again as it was."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await share(desk, pc, camera, recipients=[pc.id], reference="CAD 1")
    shares = desk.gateway.rooms.sharing.shares
    before = shares.get(identity)
    await shares.load()
    assert shares.get(identity) == before
