"""Who is outside: organisations, invitations, enrolment, terms, and where they may come from."""

from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from config.server import ServerSettings
from config.sharing import SharingSettings
from tests.fakes.desk import PASSWORD, Desk, open_desk, settings_in
from tests.fakes.outside import add_totp, invited, officer, organisation, share
from tests.fakes.ports import free_port

FINGERPRINT = "ab" * 32


async def test_an_invitation_makes_a_partner(desk: Desk) -> None:
    """Whoever has the code chooses a password, and is signed in as somebody outside."""
    code = await invited(desk, await organisation(desk), name="PC Smith")
    browser = await desk.anybody()
    answer = await browser.post("/api/v1/enrolment", json={"code": code, "password": PASSWORD})
    assert answer.status_code == 201
    user = answer.json()["user"]
    assert (user["role"], user["name"], user["permissions"]) == ("partner", "PC Smith", ["signed_in"])
    assert (await browser.get("/api/v1/session")).status_code == 200
    (entry,) = await desk.audit("partner.enrolled")
    assert entry.actor == "pc.1234"


async def test_nobody_outside_chooses_the_name_over_the_pictures(desk: Desk) -> None:
    """It is the invitation's: another one in the request is refused, and does not use the code up."""
    code = await invited(desk, await organisation(desk), name="PC Smith")
    body = {"code": code, "password": PASSWORD}
    refused = await (await desk.anybody()).post("/api/v1/enrolment", json={**body, "name": "Chief Constable"})
    assert refused.status_code == 422
    answer = await (await desk.anybody()).post("/api/v1/enrolment", json=body)
    assert (answer.status_code, answer.json()["user"]["name"]) == (201, "PC Smith")


async def test_a_partner_may_do_nothing_but_enrol_a_second_factor(desk: Desk) -> None:
    """Whatever the settings say: a password that left the room opens nothing, not even the list of shares."""
    assert desk.gateway.rooms.settings.access.second_factor == "offered"
    camera, pc = await desk.enrol(), await officer(desk, factor=False)
    await share(desk, pc, camera)
    assert (await pc.browser.get("/api/v1/session")).json()["enrol_due"] is True
    for path in ("shares/mine", "terms", "shares/x/notes", "sessions", f"cameras/{camera}/snapshot"):
        refused = await pc.browser.get(f"/api/v1/{path}")
        assert (refused.status_code, refused.json()["type"]) == (403, "access.enrol"), path
    with pytest.raises(InvalidStatus) as caught:
        async with desk.socket(pc.browser, "/api/v1/shares/events"):
            pass
    assert caught.value.response.status_code == 403
    await add_totp(pc.browser)
    assert (await pc.browser.get("/api/v1/session")).json()["enrol_due"] is False
    assert (await pc.browser.get("/api/v1/terms")).status_code == 200


async def test_a_partner_keeps_a_second_factor(desk: Desk) -> None:
    """The last one is not taken off, and the list of theirs says why."""
    pc = await officer(desk)
    assert (await pc.browser.get("/api/v1/session/factors")).json()["required"] is True
    answer = await pc.browser.delete("/api/v1/session/factors/totp")
    assert (answer.status_code, answer.json()["type"]) == (409, "access.factor")


async def test_a_code_works_once(desk: Desk) -> None:
    """Whoever finds it later is refused, as with one that never was."""
    code = await invited(desk, await organisation(desk))
    first = await (await desk.anybody()).post("/api/v1/enrolment", json={"code": code, "password": PASSWORD})
    again = await (await desk.anybody()).post("/api/v1/enrolment", json={"code": code, "password": PASSWORD})
    never = await (await desk.anybody()).post("/api/v1/enrolment", json={"code": "AAAA", "password": PASSWORD})
    assert (first.status_code, again.status_code, never.status_code) == (201, 401, 401)
    assert again.json() == never.json()
    assert {entry.outcome for entry in await desk.audit("partner.enrolled")} == {"done", "failed"}


async def test_a_weak_password_does_not_use_the_code_up(desk: Desk) -> None:
    """They try again with a better one."""
    code = await invited(desk, await organisation(desk))
    browser = await desk.anybody()
    weak = await browser.post("/api/v1/enrolment", json={"code": code, "password": "short"})
    assert (weak.status_code, weak.json()["type"]) == (422, "access.password")
    good = await browser.post("/api/v1/enrolment", json={"code": code, "password": PASSWORD})
    assert good.status_code == 201


async def test_codes_cannot_be_guessed(tmp_path: Path) -> None:
    """After a few wrong ones the address waits."""
    async with open_desk(tmp_path, settings=settings_in(tmp_path, address_attempts=3)) as desk:
        browser = await desk.anybody()
        body = {"code": "AAAA", "password": PASSWORD}
        seen = [(await browser.post("/api/v1/enrolment", json=body)).status_code for _ in range(4)]
    assert seen == [401, 401, 401, 429]


async def test_an_invitation_is_shown_as_a_link_and_a_picture(desk: Desk) -> None:
    """The link leads to the partners' page at the address that the console was opened at, with the code."""
    at = await organisation(desk)
    body = {"username": "pc.1234", "name": "PC 1234"}
    shown = (await desk.admin.post(f"/api/v1/organisations/{at}/invitations", json=body)).json()
    assert shown["link"] == f"{desk.url}/watch#join={shown['code']}"
    assert shown["picture"].startswith("data:image/svg+xml")


async def test_an_invitation_is_withdrawn(desk: Desk) -> None:
    """Its code is worth nothing then."""
    at = await organisation(desk)
    code = await invited(desk, at)
    ((one,),) = [shown["invited"] for shown in (await desk.admin.get("/api/v1/organisations")).json()]
    assert (await desk.admin.delete(f"/api/v1/invitations/{one['id']}")).status_code == 204
    assert (await desk.admin.delete(f"/api/v1/invitations/{one['id']}")).status_code == 404
    answer = await (await desk.anybody()).post("/api/v1/enrolment", json={"code": code, "password": PASSWORD})
    assert answer.status_code == 401


async def test_a_newer_invitation_replaces_the_older(desk: Desk) -> None:
    """Of two codes for one person only the newest works."""
    at = await organisation(desk)
    older, newer = await invited(desk, at), await invited(desk, at)
    browser = await desk.anybody()
    assert (await browser.post("/api/v1/enrolment", json={"code": older, "password": PASSWORD})).status_code == 401
    assert (await browser.post("/api/v1/enrolment", json={"code": newer, "password": PASSWORD})).status_code == 201


async def test_a_user_is_not_invited_again(desk: Desk) -> None:
    """A name that is taken is refused before anybody gets a code that would not work."""
    pc = await officer(desk)
    wish = {"username": "PC.1234", "name": "PC 1234"}
    answer = await desk.admin.post(f"/api/v1/organisations/{pc.organisation}/invitations", json=wish)
    assert answer.status_code == 409


async def test_nothing_is_seen_before_the_terms_are_accepted(desk: Desk) -> None:
    """A share is there, and shows nothing until then."""
    camera, pc = await desk.enrol(), await officer(desk, terms=False)
    await share(desk, pc, camera)
    mine = (await pc.browser.get("/api/v1/shares/mine")).json()
    assert (mine["terms_due"], mine["shares"]) == (True, [])
    offer = await pc.browser.post(f"/whep/{camera}/main", content=b"v=0")
    assert offer.status_code == 403
    terms = (await pc.browser.get("/api/v1/terms")).json()
    assert not terms["accepted"]
    assert (await pc.browser.post("/api/v1/terms", json={"version": "another"})).status_code == 422
    assert (await pc.browser.post("/api/v1/terms", json={"version": terms["version"]})).status_code == 204
    assert len(await pc.mine()) == 1
    await desk.watch(pc.browser, camera)


async def test_who_is_of_no_partner_accepts_no_terms(desk: Desk) -> None:
    """Nor is anything theirs."""
    assert (await desk.admin.post("/api/v1/terms", json={"version": "x"})).status_code == 404
    assert (await desk.admin.get("/api/v1/shares/mine")).status_code == 404


async def test_a_partner_comes_from_its_own_networks(desk: Desk) -> None:
    """From anywhere else every request is refused, and recorded; the room changes it, and they sign in anew."""
    at = await organisation(desk)
    pc = await officer(desk, at)
    elsewhere = {"name": "Thames Valley Police", "networks": ["192.0.2.0/24"]}
    assert (await desk.admin.put(f"/api/v1/organisations/{at}", json=elsewhere)).status_code == 200
    assert (await pc.browser.get("/api/v1/shares/mine")).status_code == 401  # signed out by the change
    await pc.sign_in()
    refused = await pc.browser.get("/api/v1/shares/mine")
    assert (refused.status_code, refused.json()["type"]) == (403, "share.outside")
    assert "127.0.0.1" in refused.json()["title"]
    assert (await desk.audit("access.refused"))[-1].actor == "pc.1234"
    here = {"name": "Thames Valley Police", "networks": ["192.0.2.0/24", "127.0.0.0/8"]}
    assert (await desk.admin.put(f"/api/v1/organisations/{at}", json=here)).status_code == 200
    await pc.sign_in()
    assert (await pc.browser.get("/api/v1/shares/mine")).status_code == 200


async def test_a_disabled_organisation_sees_nothing(desk: Desk) -> None:
    """None of its people is let in."""
    at = await organisation(desk)
    pc = await officer(desk, at)
    await desk.admin.put(f"/api/v1/organisations/{at}", json={"name": "TVP", "disabled": True})
    await pc.sign_in()
    assert (await pc.browser.get("/api/v1/shares/mine")).json()["type"] == "share.outside"


@pytest.mark.parametrize(
    "wrong",
    [
        {"networks": ["nowhere"]},
        {"networks": ["192.0.2.1/24"]},
        {"certificate": "abc"},
        {"certificate": "zz" * 32},
    ],
)
async def test_an_organisation_that_cannot_be_is_refused(desk: Desk, wrong: dict[str, Any]) -> None:
    """A network or certificate that is none."""
    answer = await desk.admin.post("/api/v1/organisations", json={"name": "TVP", **wrong})
    assert (answer.status_code, answer.json()["type"]) == (422, "share.refused")


async def test_two_organisations_have_two_names(desk: Desk) -> None:
    """The second of the same name is refused."""
    await organisation(desk)
    answer = await desk.admin.post("/api/v1/organisations", json={"name": "Thames Valley Police"})
    assert answer.status_code == 409


async def test_an_organisation_is_removed_with_its_people(desk: Desk) -> None:
    """Its shares end, and its people cannot sign in."""
    camera, pc = await desk.enrol(), await officer(desk)
    await share(desk, pc, camera)
    assert (await desk.admin.delete(f"/api/v1/organisations/{pc.organisation}")).status_code == 204
    assert (await desk.admin.get("/api/v1/shares")).json() == []
    signed = await pc.browser.post("/api/v1/session", json={"username": "pc.1234", "password": PASSWORD})
    assert signed.status_code == 401
    assert (await desk.admin.delete(f"/api/v1/organisations/{pc.organisation}")).status_code == 404


async def test_somebody_outside_is_removed(desk: Desk) -> None:
    """They are gone from the organisation, and signed out."""
    pc = await officer(desk)
    assert (await desk.admin.delete(f"/api/v1/recipients/{pc.id}")).status_code == 204
    assert (await pc.browser.get("/api/v1/session")).status_code == 401
    (shown,) = (await desk.admin.get("/api/v1/organisations")).json()
    assert shown["people"] == []


async def test_who_invites_supervises(desk: Desk) -> None:
    """An operator does not bring people in; a supervisor does; only an administrator makes organisations."""
    at = await organisation(desk)
    operator, supervisor = await desk.person("operator"), await desk.person("supervisor")
    wish = {"username": "pc.1", "name": "PC 1"}
    assert (await operator.post(f"/api/v1/organisations/{at}/invitations", json=wish)).status_code == 403
    assert (await supervisor.post(f"/api/v1/organisations/{at}/invitations", json=wish)).status_code == 201
    assert (await supervisor.post("/api/v1/organisations", json={"name": "BTP"})).status_code == 403
    assert (await operator.get("/api/v1/organisations")).status_code == 200


async def test_what_is_the_rooms_own_is_kept_from_partners(desk: Desk) -> None:
    """A share gives the picture, not the camera's address, presets, snapshot, footage or state."""
    camera, pc = await desk.enrol(), await officer(desk)
    await share(desk, pc, camera)
    for path in ("", f"/{camera}", f"/{camera}/presets", f"/{camera}/snapshot", f"/{camera}/timeline"):
        answer = await pc.browser.get(f"/api/v1/cameras{path}")
        assert answer.status_code == 403, path
    for path in ("/api/v1/organisations", "/api/v1/shares", "/api/v1/map", "/api/v1/audit", "/api/v1/users"):
        answer = await pc.browser.get(path)
        assert answer.status_code in {403, 404}, path


async def test_a_still_is_taken_only_where_the_share_says_so(desk: Desk) -> None:
    """Nobody outside takes a picture away otherwise."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await share(desk, pc, camera)
    assert (await pc.browser.get(f"/api/v1/cameras/{camera}/snapshot")).status_code == 403
    await desk.admin.patch(f"/api/v1/shares/{identity}", json={"stills": True})
    assert (await pc.browser.get(f"/api/v1/cameras/{camera}/snapshot")).status_code == 200


async def test_a_partners_player_shows_what_is_shared(desk: Desk) -> None:
    """An API token of somebody outside opens a live view of a shared camera, and nothing else."""
    camera, other, pc = await desk.enrol(), "f" * 32, await officer(desk)
    await share(desk, pc, camera)
    answer = await desk.admin.post(
        "/api/v1/tokens", json={"name": "wall", "role": "partner", "days": 1, "user_id": pc.id}
    )
    player = await desk.anybody(Authorization=f"Bearer {answer.json()['token']}", Origin="", X_Sightline="")
    assert await desk.watch(player, camera)
    assert (await player.get(f"/api/v1/cameras/{other}/timeline")).status_code == 403


async def test_a_partner_shows_its_client_certificate(desk: Desk) -> None:
    """Who does not is refused; a header that no proxy has set shows nothing."""
    at = await organisation(desk)
    pc = await officer(desk, at)
    body = {"name": "TVP", "certificate": ":".join(["AB"] * 32)}
    assert (await desk.admin.put(f"/api/v1/organisations/{at}", json=body)).status_code == 200
    await pc.sign_in()
    for headers in ({}, {"X-Client-Certificate-SHA256": FINGERPRINT}):
        answer = await pc.browser.get("/api/v1/shares/mine", headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (403, "share.outside")


async def test_a_proxy_on_this_machine_says_who_is_there(tmp_path: Path) -> None:
    """With public_urls and certificate_header set, its word counts for the address and for the certificate."""
    port = free_port()
    settings = settings_in(tmp_path).model_copy(
        update={
            "server": ServerSettings(
                host="127.0.0.1",
                port=port,
                plain_http=True,
                public_urls=(f"http://127.0.0.1:{port}",),
                data_dir=tmp_path,
                shutdown_s=1.0,
            ),
            "sharing": SharingSettings(certificate_header="X-Client-Certificate-SHA256"),
        }
    )
    async with open_desk(tmp_path, settings=settings) as desk:
        at = await organisation(desk)
        pc = await officer(desk, at)
        body = {"name": "Northshire Police", "networks": ["203.0.113.0/24"], "certificate": FINGERPRINT}
        assert (await desk.admin.put(f"/api/v1/organisations/{at}", json=body)).status_code == 200
        await pc.sign_in()
        right = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9", "X-Client-Certificate-SHA256": FINGERPRINT.upper()}
        assert (await pc.browser.get("/api/v1/shares/mine", headers=right)).status_code == 200
        for wrong in ({"X-Forwarded-For": "203.0.113.9, 198.51.100.1"}, {"X-Client-Certificate-SHA256": "ab"}):
            answer = await pc.browser.get("/api/v1/shares/mine", headers=right | wrong)
            assert (answer.status_code, answer.json()["type"]) == (403, "share.outside")


async def test_who_came_to_the_room_is_removed_as_one_of_it(desk: Desk) -> None:
    """Not by who supervises partners, and not with the organisation that they came from."""
    pc = await officer(desk)
    assert (await desk.admin.patch(f"/api/v1/users/{pc.id}", json={"role": "administrator"})).status_code == 200
    supervisor = await desk.person("supervisor", "sue")
    refused = await supervisor.delete(f"/api/v1/recipients/{pc.id}")
    assert (refused.status_code, refused.json()["type"]) == (403, "access.forbidden")
    assert (await desk.admin.delete(f"/api/v1/organisations/{pc.organisation}")).status_code == 204
    assert pc.id in {user.id for user in await desk.gateway.rooms.people.users()}
