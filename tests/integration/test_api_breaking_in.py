"""Ways in that were tried from outside, from below, and in the moment between a look and an act."""

import asyncio
import json

import httpx
import pytest

from gateway.access.people import UserChange
from gateway.fleet import rpc
from tests.fakes.desk import PASSWORD, Desk
from tests.fakes.outside import officer, organisation, share
from tests.fakes.waiting import until


async def test_signing_out_while_a_view_is_opened_ends_it(desk: Desk) -> None:
    """The host answers after the session has ended: no picture goes on without one."""
    camera, vera = await desk.enrol(), await desk.person("viewer", "vera")
    cookie = vera.cookies["sightline"]
    desk.host.answering.clear()
    headers = {"Content-Type": rpc.SDP_MEDIA_TYPE}
    opening = asyncio.create_task(vera.post(f"/whep/{camera}/main", content=b"v=0", headers=headers))
    await until(lambda: len(desk.host.viewers) == 1, what="the host to have taken the offer")
    other = await desk.anybody()
    other.cookies.set("sightline", cookie)
    assert (await other.delete("/api/v1/session")).status_code == 204
    desk.host.answering.set()
    await opening
    await until(lambda: not desk.host.viewers, what="the end of the view")
    await until(lambda: not desk.gateway.rooms.ledger.open_spans, what="the end of its span")
    assert '"reason":"session ended"' in (await desk.audit("view.ended"))[-1].details


async def test_what_another_process_ended_does_not_go_on(desk: Desk) -> None:
    """`sightline users reset-password` deletes sessions in the database; nobody calls this gateway."""
    camera, vera = await desk.enrol(), await desk.person("viewer", "vera")
    await desk.watch(vera, camera)
    async with desk.gateway.database.write() as connection:
        await connection.exec_driver_sql(
            "DELETE FROM sessions WHERE user_id IN (SELECT id FROM users WHERE username = 'vera')"
        )
    await until(lambda: not desk.host.viewers, what="the end of the view")


async def test_a_partners_program_is_outside_as_they_are(desk: Desk) -> None:
    """Its token is no way around the networks of their organisation, whatever it was made as."""
    at = await organisation(desk, "TVP", networks=["127.0.0.0/8"])
    pc = await officer(desk, at)
    wish = {"name": "wall", "role": "member", "user_id": pc.id}
    token = (await desk.admin.post("/api/v1/tokens", json=wish)).json()["token"]
    program = await desk.anybody(Authorization=f"Bearer {token}")
    assert (await program.get("/api/v1/shares/mine")).status_code == 200
    await desk.admin.put(f"/api/v1/organisations/{at}", json={"name": "TVP", "networks": ["192.0.2.0/24"]})
    refused = await program.get("/api/v1/shares/mine")
    assert (refused.status_code, refused.json()["type"]) == (403, "share.outside")


async def showing_program(desk: Desk) -> tuple[str, str, httpx.AsyncClient]:
    """Return an organisation, a camera shared with it, and a program of theirs that shows it."""
    at = await organisation(desk, "TVP")
    camera, pc = await desk.enrol(), await officer(desk, at)
    await share(desk, pc, camera)
    wish = {"name": "wall", "role": "partner", "user_id": pc.id}
    token = (await desk.admin.post("/api/v1/tokens", json=wish)).json()["token"]
    program = await desk.anybody(Authorization=f"Bearer {token}")
    await desk.watch(program, camera)
    return at, camera, program


async def test_a_changed_agreement_ends_what_programs_show(desk: Desk) -> None:
    """A wall's player is cut off with everybody else of the organisation, and comes in as is agreed now."""
    at, _, _ = await showing_program(desk)
    await desk.admin.put(f"/api/v1/organisations/{at}", json={"name": "TVP", "networks": ["192.0.2.0/24"]})
    await until(lambda: not desk.host.viewers, what="the end of the program's view")


async def test_a_program_shows_again_after_a_change_of_its_organisation(desk: Desk) -> None:
    """What it showed ends; what it opens afterwards, as is agreed now, is not cut at once."""
    at, camera, program = await showing_program(desk)
    await desk.admin.put(f"/api/v1/organisations/{at}", json={"name": "TVP", "networks": ["127.0.0.0/8"]})
    await until(lambda: not desk.host.viewers, what="the end of the program's view")
    await desk.watch(program, camera)
    (span,) = desk.gateway.rooms.ledger.going_on("view")
    assert (len(desk.host.viewers), span.cut_reason) == (1, None)


async def test_nothing_is_granted_outside(desk: Desk) -> None:
    """Neither to a partner nor to a team that one is in: what they see is what is shared with them."""
    camera, pc = await desk.enrol(), await officer(desk)
    granted = await desk.admin.post("/api/v1/grants", json={"role": "operator", "user": pc.id})
    assert (granted.status_code, granted.json()["type"]) == (422, "access.rights")
    team = (await desk.admin.post("/api/v1/teams", json={"name": "Night", "users": [pc.id]})).json()
    wish = {"role": "operator", "team": team["id"]}
    assert (await desk.admin.post("/api/v1/grants", json=wish)).status_code == 201
    assert (await pc.browser.get(f"/api/v1/cameras/{camera}/snapshot")).status_code == 403
    assert (await pc.browser.post(f"/whep/{camera}/main", content=b"v=0")).status_code == 403


async def test_a_new_password_ends_a_sign_in_that_was_under_way(desk: Desk) -> None:
    """Who knew the old one and waits with the second factor does not come in after it was changed."""
    pc = await officer(desk)
    first = await pc.browser.post("/api/v1/session", json={"username": "pc.1234", "password": PASSWORD})
    ticket = first.json()["ticket"]
    await desk.gateway.rooms.people.change(pc.id, UserChange(password="four quite other words"))
    answer = await pc.browser.post("/api/v1/session/second", json={"ticket": ticket, "recovery": pc.codes.pop()})
    assert (answer.status_code, answer.json()["type"]) == (401, "access.credentials")


@pytest.mark.parametrize("text", ["two\nlines", "two\u2028lines", "turned \u202e round", "hidden \u2066 words"])
async def test_what_is_written_from_outside_is_one_plain_line(desk: Desk, text: str) -> None:
    """Notes and the reason for the stick stand on the room's screens: they cannot pass for something else there."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await share(desk, pc, camera, may_ask_for_stick=True)
    note = await pc.browser.post(f"/api/v1/shares/{identity}/notes", json={"text": text})
    asked = await pc.browser.post(f"/api/v1/shares/{identity}/stick-request", json={"camera": camera, "note": text})
    assert (note.status_code, asked.status_code) == (422, 422)


async def test_a_locked_console_outside_says_nothing(desk: Desk) -> None:
    """Whoever finds a partner's desk left alone sees the picture, and neither writes nor asks for the stick."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await share(desk, pc, camera, may_ask_for_stick=True)
    assert (await pc.browser.put("/api/v1/session/state", json={"state": "locked"})).status_code == 204
    note = await pc.browser.post(f"/api/v1/shares/{identity}/notes", json={"text": "let me in"})
    asked = await pc.browser.post(f"/api/v1/shares/{identity}/stick-request", json={"camera": camera})
    assert {json.loads(one.text)["type"] for one in (note, asked)} == {"access.locked"}
    await desk.watch(pc.browser, camera)
