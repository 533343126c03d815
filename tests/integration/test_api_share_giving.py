"""Who may give what by a share, and for how long: proofs, ends of rights, people who leave, organisations too."""

from typing import Any

import httpx
import pytest

from gateway.access.identity import Identity
from gateway.access.permissions import Role
from gateway.api.share_socket import _Outbox
from gateway.api.sockets import BARRED
from gateway.api.times import iso
from gateway.db.users import Users
from gateway.fleet.changes import StateChanged
from gateway.sharing import Person, ShareWish
from kernel.ids import CameraId
from tests.fakes.desk import Desk
from tests.fakes.outside import Officer, officer, organisation, share
from tests.fakes.waiting import until

DAY_NS = 86_400 * 10**9


async def unproved(desk: Desk) -> None:
    """Let every session's last proof be long ago."""
    async with desk.gateway.database.write() as connection:
        await connection.exec_driver_sql("UPDATE sessions SET confirmed_ns = 0")


async def shared_by(browser: httpx.AsyncClient, with_whom: Officer, camera: str, **facts: Any) -> str:
    """Share a camera quickly, as somebody who is not the administrator, and return the share's identifier."""
    body = {"organisation": with_whom.organisation, "camera": camera, **facts}
    answer = await browser.post("/api/v1/shares/quick", json=body)
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


async def test_a_quick_share_that_is_long_asks_who_is_there(desk: Desk) -> None:
    """As one that is made with everything does; of the usual length it does not."""
    camera, pc = await desk.enrol(), await officer(desk)
    await unproved(desk)
    quick = {"camera": camera, "organisation": pc.organisation}
    long = await desk.admin.post("/api/v1/shares/quick", json={**quick, "minutes": 61})
    assert (long.status_code, long.json()["type"]) == (403, "access.confirm")
    assert (await desk.admin.post("/api/v1/shares/quick", json={**quick, "minutes": 60})).status_code == 201


@pytest.mark.parametrize("kind", ["standing", "long"])
async def test_to_widen_what_lasts_asks_who_is_there(desk: Desk, kind: str) -> None:
    """In any way; to narrow it never does."""
    camera, pc = await desk.enrol(), await officer(desk)
    clock = desk.gateway.rooms.clock
    facts: dict[str, Any] = {"minutes": 600}
    if kind == "standing":
        facts = {"kind": "standing", "reference": "MoU 7", "review": iso(clock.wall_ns() + 30 * DAY_NS)}
    identity = await share(desk, pc, camera, stream="sub", **facts)
    later = iso(desk.gateway.rooms.sharing.shares.get(identity).ends_ns + 60 * 10**9)
    await unproved(desk)
    for wider in ({"stills": True}, {"stream": "main"}, {"viewer_limit": 21}, {"end": later}):
        answer = await desk.admin.patch(f"/api/v1/shares/{identity}", json=wider)
        assert (answer.status_code, answer.json()["type"]) == (403, "access.confirm"), wider
    for narrower in ({"recipients": [pc.id]}, {"viewer_limit": 1}, {"minutes": 30}, {"title": "Other"}):
        answer = await desk.admin.patch(f"/api/v1/shares/{identity}", json=narrower)
        assert answer.status_code == 200, answer.text


async def test_shares_of_a_disabled_account_end(desk: Desk) -> None:
    """Their views stop, and the audit says why."""
    camera, pc = await desk.enrol(), await officer(desk)
    operator = await desk.person("operator")
    identity = await shared_by(operator, pc, camera)
    await desk.watch(pc.browser, camera)
    maker = desk.gateway.rooms.sharing.shares.get(identity).made_by
    assert (await desk.admin.patch(f"/api/v1/users/{maker}", json={"disabled": True})).status_code == 200
    await until(lambda: not desk.host.viewers, what="the view to end")
    assert await pc.mine() == []
    (ended,) = await desk.audit("share.ended")
    assert (ended.subject, "may not share" in ended.details) == (identity, True)


async def test_the_next_operator_carries_a_share_on(desk: Desk) -> None:
    """It outlasts the shift of who made it; who extends it answers for it, and it outlasts their account too."""
    camera, pc = await desk.enrol(), await officer(desk)
    operator = await desk.person("operator")
    identity = await shared_by(operator, pc, camera)
    shares = desk.gateway.rooms.sharing.shares
    maker = shares.get(identity).made_by
    assert (await operator.delete("/api/v1/session")).status_code == 204
    assert len(await pc.mine()) == 1
    extended = await desk.admin.patch(f"/api/v1/shares/{identity}", json={"minutes": 90})
    assert (extended.status_code, extended.json()["made_by"]) == (200, "Root")
    assert (await desk.admin.delete(f"/api/v1/users/{maker}")).status_code == 204
    assert [one["id"] for one in await pc.mine()] == [identity]


async def test_what_follows_shows_nothing_once_its_maker_signed_out(desk: Desk) -> None:
    """The view is cut; the share is there for when they come back."""
    camera, pc = await desk.enrol(), await officer(desk)
    operator = await desk.person("operator")
    identity = await shared_by(operator, pc, camera, follow=True)
    await desk.watch(pc.browser, camera)
    assert (await operator.delete("/api/v1/session")).status_code == 204
    await until(lambda: not desk.host.viewers, what="the view to end")
    (mine,) = await pc.mine()
    assert (mine["id"], mine["cameras"]) == (identity, [])
    (changed,) = await desk.audit("share.changed")
    assert "signed out" in changed.details


async def test_what_follows_shows_nothing_once_another_process_signed_its_maker_out(desk: Desk) -> None:
    """Nobody told this one: it looks."""
    camera, pc = await desk.enrol(), await officer(desk)
    operator = await desk.person("operator")
    identity = await shared_by(operator, pc, camera, follow=True)
    maker = desk.gateway.rooms.sharing.shares.get(identity).made_by
    async with desk.gateway.database.write() as connection:
        await connection.exec_driver_sql("DELETE FROM sessions WHERE user_id = ?", (maker,))
    await until(lambda: not desk.gateway.rooms.sharing.shares.get(identity).cameras, what="the camera to be gone")


async def test_a_share_ends_with_the_glass_that_allowed_it(desk: Desk) -> None:
    """Both sides see so from the beginning, and it ends sooner when the glass is closed."""
    camera, pc = await desk.enrol(), await officer(desk)
    member = await desk.person("member", "mia")
    user = next(one["id"] for one in (await desk.admin.get("/api/v1/users")).json() if one["username"] == "mia")
    role = {"name": "Duty officer", "permissions": ["break_glass"]}
    duty = (await desk.admin.post("/api/v1/roles", json=role)).json()["id"]
    assert (await desk.admin.post("/api/v1/grants", json={"role": duty, "user": user})).status_code == 201
    broken = await member.post("/api/v1/glass", json={"reason": "Stabbing, High Street", "minutes": 15})
    assert broken.status_code == 201, broken.text
    identity = await shared_by(member, pc, camera)
    (glass,) = desk.gateway.rooms.grants.broken()
    assert desk.gateway.rooms.sharing.shares.get(identity).ends_ns == glass.ends_ns
    longer = await member.patch(f"/api/v1/shares/{identity}", json={"minutes": 30})
    assert (longer.status_code, longer.json()["type"]) == (403, "access.forbidden")
    assert (await member.delete(f"/api/v1/glass/{glass.id}")).status_code == 204
    assert await pc.mine() == []


async def test_a_loan_ends_when_its_lender_may_not_steer_any_more(desk: Desk) -> None:
    """Their role was taken down meanwhile."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await share(desk, pc, camera)
    operator = await desk.person("operator")
    body = {"camera": camera, "user": pc.id}
    lent = await operator.post(f"/api/v1/shares/{identity}/lend", json=body)
    assert lent.status_code == 201, lent.text
    lender = desk.gateway.rooms.sharing.sticks.loans()[0].by.user_id
    assert (await desk.admin.patch(f"/api/v1/users/{lender}", json={"role": "viewer"})).status_code == 200
    assert desk.gateway.rooms.sharing.sticks.loans() == []
    (back,) = await desk.audit("steer.taken-back")
    assert "may not steer" in back.details


@pytest.mark.parametrize("where", ["here", "elsewhere"])
async def test_who_shared_and_lent_the_stick_loses_their_rights(desk: Desk, where: str) -> None:
    """Share, loan and what another asks for are over together, each recorded with the act; who steers is shut out."""
    camera, pc = await desk.enrol(), await officer(desk)
    other = await officer(desk, pc.organisation, username="pc.9")
    operator, rooms = await desk.person("operator"), desk.gateway.rooms
    identity = await shared_by(operator, pc, camera, may_ask_for_stick=True)
    for one in (pc, other):
        asked = await one.browser.post(f"/api/v1/shares/{identity}/stick-request", json={"camera": camera})
        assert asked.status_code == 202, asked.text
    lent = await operator.post(f"/api/v1/shares/{identity}/lend", json={"camera": camera, "user": pc.id})
    assert lent.status_code == 201, lent.text
    maker = rooms.sharing.shares.get(identity).made_by
    async with desk.socket(pc.browser, f"/api/v1/cameras/{camera}/steer") as steering:
        if where == "here":
            answer = await desk.admin.patch(f"/api/v1/users/{maker}", json={"disabled": True})
            assert answer.status_code == 200, answer.text
            assert len(await desk.audit("user.changed")) == 1
        else:
            async with desk.gateway.database.write() as connection:
                await Users(connection).change(maker, disabled=True)
        await steering.wait_closed()
        assert steering.close_code == BARRED
    assert (rooms.sharing.sticks.loans(), rooms.sharing.sticks.requests()) == ([], [])
    for action, subject in (("share.ended", identity), ("steer.taken-back", camera)):
        (entry,) = await desk.audit(action)
        assert entry.subject == subject
    assert await other.mine() == []


async def test_all_shares_of_a_disabled_account_end(desk: Desk) -> None:
    """However many: that one changes rights anew does not go deeper for each of them."""
    camera, pc = await desk.enrol(), await officer(desk)
    operator, shares = await desk.person("operator"), desk.gateway.rooms.sharing.shares
    first = shares.get(await shared_by(operator, pc, camera, follow=True))
    by = Person(user_id=first.made_by, name=first.maker)
    for _ in range(200):
        await shares.make(ShareWish(organisation_id=pc.organisation, cameras=(CameraId(camera),)), by=by)
    assert (await desk.admin.patch(f"/api/v1/users/{by.user_id}", json={"disabled": True})).status_code == 200
    assert shares.open() == []
    assert len(await desk.audit("share.ended")) == 201


async def test_who_another_process_removed_is_nobodys_recipient(desk: Desk) -> None:
    """As ``sightline users remove`` does: the share goes on for the other, and follows on."""
    camera, one = await desk.enrol(), await officer(desk)
    other = await officer(desk, one.organisation, username="pc.9")
    identity = await share(desk, one, camera, follow=True, recipients=[one.id, other.id])
    sharing = desk.gateway.rooms.sharing
    async with desk.gateway.database.write() as connection:
        await Users(connection).remove(one.id)
    await until(lambda: sharing.partners.recipient(one.id) is None, what="the removal to be learnt")
    assert sharing.shares.get(identity).recipients == frozenset({other.id})
    answer = await desk.admin.put(f"/api/v1/shares/{identity}/selected", json={"camera": None})
    assert answer.status_code == 204
    assert (await other.mine())[0]["cameras"] == []


async def test_an_organisation_that_is_shared_with_is_removed(desk: Desk) -> None:
    """Its shares are over for good, its people gone, each is on record; and the list of shares is read as before."""
    camera, pc = await desk.enrol(), await officer(desk)
    stranger = await officer(desk, await organisation(desk, "BTP"), username="pc.9")
    for _ in range(2):
        await share(desk, pc, camera)
    other = await share(desk, stranger, camera)
    await desk.watch(pc.browser, camera)
    assert (await desk.admin.delete(f"/api/v1/organisations/{pc.organisation}")).status_code == 204
    await until(lambda: not desk.host.viewers, what="the view to end")
    assert [one["id"] for one in (await desk.admin.get("/api/v1/shares")).json()] == [other]
    assert (await pc.browser.get("/api/v1/shares/mine")).status_code == 401
    await desk.gateway.rooms.sharing.shares.load()
    assert [row.id for row in desk.gateway.rooms.sharing.shares.open()] == [other]
    assert [one.actor for one in await desk.audit("share.ended")] == ["root", "root"]
    (removed,) = await desk.audit("user.removed")
    assert (removed.actor, removed.subject) == ("root", pc.id)


async def test_terms_are_accepted_once(desk: Desk) -> None:
    """Again is nothing new: nothing is written. Wrong ones are counted."""
    pc = await officer(desk)
    version = (await pc.browser.get("/api/v1/terms")).json()["version"]
    before = desk.gateway.rooms.sharing.partners.own(pc.id)
    assert (await pc.browser.post("/api/v1/terms", json={"version": version})).status_code == 204
    assert desk.gateway.rooms.sharing.partners.own(pc.id) == before
    assert len(await desk.audit("partner.terms-accepted")) == 1
    most = desk.gateway.rooms.settings.sharing.acts_per_minute
    seen = [(await pc.browser.post("/api/v1/terms", json={"version": "x"})).status_code for _ in range(most)]
    assert (set(seen[:-1]), seen[-1]) == ({422}, 429)


async def test_those_outside_are_woken_by_their_cameras_alone(desk: Desk) -> None:
    """Nine hundred others change their state at no cost to them."""
    camera, pc = await desk.enrol(), await officer(desk)
    await share(desk, pc, camera)
    who = Identity(user_id=pc.id, username="pc.1234", name="PC.1234", role=Role.PARTNER, session="s")
    outbox = _Outbox(desk.gateway.rooms, who)
    assert outbox.news() is not None
    outbox.wake.clear()
    outbox.camera(StateChanged(CameraId("f" * 32)))
    assert not outbox.wake.is_set()
    outbox.camera(StateChanged(CameraId(camera)))
    assert outbox.wake.is_set()
