"""Live views: proxied to the camera's host, owned by who opened them, each with its start and end in the audit."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from config.live import LiveSettings
from gateway.api.spans import view_key
from gateway.fleet import rpc
from gateway.fleet.shown import CONVERTED_HEADER, STREAM_HEADER
from kernel.ids import CameraId
from tests.fakes.descriptions import description
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.waiting import until

SDP = {"Content-Type": rpc.SDP_MEDIA_TYPE}
FRAGMENT = {"Content-Type": rpc.SDP_FRAGMENT_MEDIA_TYPE}


async def test_an_offer_is_answered_by_the_host(desk: Desk) -> None:
    """201 with the answer, where the session is, and its tag."""
    camera = await desk.enrol()
    answer = await desk.admin.post(f"/whep/{camera}/sub", content=b"v=0 offer", headers=SDP)
    assert (answer.status_code, answer.text) == (201, "v=0\r\n")
    assert answer.headers["content-type"].startswith("application/sdp")
    assert answer.headers["location"] == f"/whep/{camera}/sub/session-1"
    assert answer.headers["etag"] == '"1"'
    assert desk.host.offers == [b"v=0 offer"]
    (viewer,) = desk.host.viewers.values()
    assert (viewer.who, viewer.address, viewer.stream) == ("root", "127.0.0.1", "sub")


async def test_what_is_shown_is_told_and_recorded(desk: Desk) -> None:
    """Where a host shows another stream than was asked for, or one that it converts, the viewer and the audit know."""
    camera = await desk.enrol()
    desk.host.shown = {STREAM_HEADER: "sub", CONVERTED_HEADER: "h265"}
    answer = await desk.admin.post(f"/whep/{camera}/main", content=b"v=0", headers=SDP)
    assert (answer.headers["sightline-stream"], answer.headers["sightline-converted-from"]) == ("sub", "h265")
    assert answer.headers["location"] == f"/whep/{camera}/main/session-1"
    (started,) = await desk.audit("view.started")
    assert json.loads(started.details) == {
        "stream": "sub",
        "asked": "main",
        "converted_from": "h265",
        "view": "session-1",
    }


async def test_a_plain_view_says_no_more_than_its_stream(desk: Desk) -> None:
    """What is passed on as it was asked for has its stream named, and no conversion."""
    camera = await desk.enrol()
    answer = await desk.admin.post(f"/whep/{camera}/main", content=b"v=0", headers=SDP)
    assert answer.headers["sightline-stream"] == "main"
    assert "sightline-converted-from" not in answer.headers


async def test_a_player_may_ask_first(desk: Desk) -> None:
    """OPTIONS says what to post, and at a view what to patch."""
    camera = await desk.enrol()
    answer = await desk.admin.options(f"/whep/{camera}/main")
    assert (answer.status_code, answer.headers["accept-post"]) == (200, "application/sdp")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    view = await desk.watch(desk.admin, camera)
    answer = await desk.admin.options(view)
    assert (answer.status_code, answer.headers["accept-patch"]) == (200, "application/trickle-ice-sdpfrag")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_there_is_nothing_to_get(desk: Desk, method: str) -> None:
    """Endpoint and view have no representation: success without content (draft-ietf-wish-whep-03 section 4.1)."""
    camera = await desk.enrol()
    for path in (f"/whep/{camera}/main", await desk.watch(desk.admin, camera)):
        answer = await desk.admin.request(method, path)
        assert (answer.status_code, answer.content) == (204, b"")
    assert (await desk.admin.request(method, f"/whep/{camera}/main/session-9")).status_code == 404
    assert (await desk.admin.request(method, f"/whep/{'f' * 32}/main")).status_code == 404


async def test_another_method_is_told_those_that_are_allowed(desk: Desk) -> None:
    """405 with the whole list, at the endpoint and at a view."""
    camera = await desk.enrol()
    view = await desk.watch(desk.admin, camera)
    for method, path, allowed in (
        ("PUT", f"/whep/{camera}/main", "GET, HEAD, OPTIONS, POST"),
        ("DELETE", f"/whep/{camera}/main", "GET, HEAD, OPTIONS, POST"),
        ("POST", view, "DELETE, GET, HEAD, OPTIONS, PATCH"),
    ):
        answer = await desk.admin.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


async def test_candidates_are_passed_on(desk: Desk) -> None:
    """PATCH reaches the host; nothing comes back, and no tag."""
    session = await desk.watch(desk.admin, await desk.enrol())
    answer = await desk.admin.patch(session, content=b"a=candidate", headers={**FRAGMENT, "If-Match": '"1"'})
    assert (answer.status_code, answer.content, "etag" in answer.headers) == (204, b"", False)
    assert desk.host.patches == [b"a=candidate"]


async def test_a_restart_is_answered_with_the_hosts_credentials(desk: Desk) -> None:
    """200, the host's fragment, and the new tag."""
    session = await desk.watch(desk.admin, await desk.enrol())
    desk.host.restarted = "a=ice-ufrag:new\r\n"
    answer = await desk.admin.patch(session, content=b"a=ice-ufrag:mine", headers={**FRAGMENT, "If-Match": "*"})
    assert (answer.status_code, answer.text, answer.headers["etag"]) == (200, "a=ice-ufrag:new\r\n", '"2"')
    assert answer.headers["content-type"].startswith("application/trickle-ice-sdpfrag")


async def test_a_view_is_reached_at_its_own_camera_only(desk: Desk) -> None:
    """What is asked for under another camera's address is not there."""
    first = await desk.enrol()
    desk.host.found = description("urn:uuid:2")
    second = await desk.enrol(address="192.0.2.2")
    view = await desk.watch(desk.admin, first)
    elsewhere = view.replace(first, second)
    assert (await desk.admin.get(elsewhere)).status_code == 404
    assert (await desk.admin.delete(elsewhere)).status_code == 404
    assert len(desk.host.viewers) == 1


async def test_too_many_offers_are_told_when_to_come_again(tmp_path: Path) -> None:
    """429 with Retry-After for the session that asks too fast, before any host is asked; others go on."""
    live = LiveSettings(signalling_per_s=0.1, signalling_burst=3)
    settings = settings_in(tmp_path).model_copy(update={"live": live})
    async with open_desk(tmp_path, settings=settings) as desk:
        camera = await desk.enrol()
        view = await desk.watch(desk.admin, camera)
        for _ in range(2):
            await desk.admin.patch(view, content=b"a", headers={**FRAGMENT, "If-Match": "*"})
        for method, path, kind in (("POST", f"/whep/{camera}/main", SDP), ("PATCH", view, FRAGMENT)):
            answer = await desk.admin.request(method, path, content=b"v=0", headers=kind)
            assert (answer.status_code, answer.json()["type"]) == (429, "api.signalling")
            assert 1 <= int(answer.headers["retry-after"]) <= 10
        assert (len(desk.host.offers), len(desk.host.patches)) == (1, 2)
        assert (await desk.admin.delete(view)).status_code == 200
        await desk.watch(await desk.person("operator"), camera)


async def test_a_wall_of_tiles_never_meets_the_limit(desk: Desk) -> None:
    """Nine tiles that open, trickle, and begin anew three times over in a moment are all answered."""
    camera = await desk.enrol()
    for _ in range(3 * 9):
        view = await desk.watch(desk.admin, camera)
        for _ in range(3):
            answer = await desk.admin.patch(view, content=b"a", headers={**FRAGMENT, "If-Match": "*"})
            assert answer.status_code == 204


async def test_a_named_sites_page_may_play(tmp_path: Path) -> None:
    """Its preflight needs no token, it reads answers and refusals with one, and cookies are never lent to it."""
    live = LiveSettings(player_origins=("https://wall.example.org",))
    settings = settings_in(tmp_path).model_copy(update={"live": live})
    async with open_desk(tmp_path, settings=settings) as desk:
        endpoint = f"/whep/{await desk.enrol()}/main"
        page = {"Origin": "https://wall.example.org"}
        asking = {**page, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        nobody = await desk.anybody(Origin="", X_Sightline="")
        preflight = await nobody.options(endpoint, headers=asking)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == "https://wall.example.org"
        assert "POST" in preflight.headers["access-control-allow-methods"]
        assert "Authorization" in preflight.headers["access-control-allow-headers"]
        assert preflight.headers["accept-post"] == "application/sdp"
        program = await desk.token("viewer")
        made = await program.post(endpoint, content=b"v=0", headers={**SDP, **page})
        assert made.status_code == 201
        refused = await nobody.post(endpoint, content=b"v=0", headers={**SDP, **page})
        assert refused.status_code == 401
        for answer in (preflight, made, refused):
            assert answer.headers["access-control-allow-origin"] == "https://wall.example.org"
            assert "access-control-allow-credentials" not in answer.headers
            assert "Origin" in answer.headers["vary"]
        assert "Location" in made.headers["access-control-expose-headers"]
        for origin, path in (("https://evil.example", endpoint), ("https://wall.example.org", "/api/v1/cameras")):
            answer = await nobody.options(path, headers={**asking, "Origin": origin})
            assert answer.status_code in {401, 405}
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_another_kind_of_body_is_refused(desk: Desk, method: str) -> None:
    """415 for what is not SDP."""
    camera = await desk.enrol()
    session = await desk.watch(desk.admin, camera)
    path = f"/whep/{camera}/main" if method == "POST" else session
    answer = await desk.admin.request(method, path, content=b"{}", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (415, "api.media-type")


@pytest.mark.parametrize(("status", "retry"), [(409, 2), (503, 10), (400, None)])
async def test_a_refusal_keeps_the_hosts_words(desk: Desk, status: int, retry: int | None) -> None:
    """Not live, full, a bad offer: the host's own problem, with Retry-After where it says when."""
    camera = await desk.enrol()
    desk.host.refuse["offer"] = rpc.Problem(type="live.no", title="No.", status=status, retry_after_s=retry)
    answer = await desk.admin.post(f"/whep/{camera}/main", content=b"v=0", headers=SDP)
    assert (answer.status_code, answer.json()["type"]) == (status, "live.no")
    assert answer.headers.get("retry-after") == (str(retry) if retry else None)
    assert await desk.audit("view.started") == []


async def test_an_oversized_offer_is_refused(desk: Desk) -> None:
    """413, whether its length is told or not; the host never sees it."""
    camera = await desk.enrol()
    huge = b"x" * 300_000

    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield huge[:10_000]

    for body in (huge, in_pieces()):
        answer = await desk.admin.post(f"/whep/{camera}/main", content=body, headers=SDP)
        assert (answer.status_code, answer.json()["type"]) == (413, "api.too-large")
    assert desk.host.offers == []


async def test_a_view_is_recorded_from_start_to_end(desk: Desk) -> None:
    """Who, which camera and stream, from where, how it ended."""
    camera = await desk.enrol()
    session = await desk.watch(desk.admin, camera, "sub")
    assert (await desk.admin.delete(session)).status_code == 200
    assert desk.host.viewers == {}
    started, ended = await desk.audit("view.started") + await desk.audit("view.ended")
    assert (started.actor, started.subject, started.address) == ("root", camera, "127.0.0.1")
    assert json.loads(started.details) == {"stream": "sub", "view": "session-1"}
    assert json.loads(ended.details)["reason"] == "closed"


async def test_a_viewer_who_just_leaves_has_ended(desk: Desk) -> None:
    """When the host no longer knows the viewer, the view is over."""
    await desk.watch(desk.admin, await desk.enrol())
    desk.host.viewers.clear()
    await desk.gateway.rooms.ledger.sweep()
    (ended,) = await desk.audit("view.ended")
    assert json.loads(ended.details)["reason"] == "left"


async def test_signing_out_cuts_off_what_was_watched(desk: Desk) -> None:
    """A live view does not outlive its session."""
    operator = await desk.person("operator")
    await desk.watch(operator, await desk.enrol())
    await operator.delete("/api/v1/session")
    await until(lambda: not desk.host.viewers, what="the viewer to be cut off")
    (ended,) = await desk.audit("view.ended")
    assert json.loads(ended.details)["reason"] == "session ended"


async def test_disabling_a_user_cuts_them_off(desk: Desk) -> None:
    """At once, everywhere."""
    operator = await desk.person("operator", "olga")
    await desk.watch(operator, await desk.enrol())
    (user,) = [user for user in (await desk.admin.get("/api/v1/users")).json() if user["username"] == "olga"]
    await desk.admin.patch(f"/api/v1/users/{user['id']}", json={"disabled": True})
    await until(lambda: not desk.host.viewers, what="the viewer to be cut off")
    assert (await operator.get("/api/v1/cameras")).status_code == 401


async def test_nobody_reaches_anothers_view(desk: Desk) -> None:
    """A session's address alone opens nothing."""
    session = await desk.watch(desk.admin, await desk.enrol())
    other = await desk.person("operator")
    assert (await other.patch(session, content=b"a", headers=FRAGMENT)).status_code == 404
    assert (await other.delete(session)).status_code == 404
    assert len(desk.host.viewers) == 1


async def test_a_view_that_outlived_its_gateway_is_taken_over(desk: Desk) -> None:
    """Viewers that a host knows and we do not are recorded as going on."""
    camera = await desk.enrol()
    await desk.watch(desk.admin, camera)
    (viewer,) = desk.host.viewers.values()
    desk.host.viewers["session-9"] = viewer.model_copy(update={"session": "session-9", "who": "olga"})
    await desk.gateway.rooms.ledger.sweep()
    adopted = (await desk.audit("view.started"))[-1]
    assert (adopted.actor, json.loads(adopted.details)["adopted"]) == ("olga", True)
    assert adopted.from_ns == viewer.since_ns


async def adopted_view(desk: Desk, camera: str, client: httpx.AsyncClient) -> str:
    """Return the address of a view of ``client`` that this gateway did not open itself."""
    await desk.watch(client, camera)
    (viewer,) = desk.host.viewers.values()
    desk.host.viewers = {"session-9": viewer.model_copy(update={"session": "session-9"})}
    await desk.gateway.rooms.ledger.sweep()
    return f"/whep/{camera}/main/session-9"


async def test_a_view_that_was_taken_over_is_its_owners(desk: Desk) -> None:
    """After a restart of the gateway its owner ends it, and nobody else."""
    olga = await desk.person("operator", "olga")
    view = await adopted_view(desk, await desk.enrol(), olga)
    assert (await desk.admin.delete(view)).status_code == 404
    assert (await olga.delete(view)).status_code == 200
    assert desk.host.viewers == {}


async def test_a_view_that_was_taken_over_ends_with_its_session(desk: Desk) -> None:
    """Signing out after a restart of the gateway cuts what was opened before it."""
    olga = await desk.person("operator", "olga")
    await adopted_view(desk, await desk.enrol(), olga)
    await olga.delete("/api/v1/session")
    await until(lambda: not desk.host.viewers, what="the viewer to be cut off")


async def test_a_view_is_cut_when_its_host_is_back(desk: Desk) -> None:
    """A host that cannot be reached when the session ends: the view goes on in the record until it is truly over."""
    ledger = desk.gateway.rooms.ledger
    olga = await desk.person("operator", "olga")
    await desk.watch(olga, await desk.enrol())
    desk.host.refuse["close"] = rpc.Problem(type="host.unreachable", title="Away.", status=503)
    await olga.delete("/api/v1/session")
    await ledger.sweep()
    assert await desk.audit("view.ended") == []
    desk.host.refuse.clear()
    await ledger.sweep()
    assert desk.host.viewers == {}
    (ended,) = await desk.audit("view.ended")
    assert (ended.actor, json.loads(ended.details)["reason"]) == ("olga", "session ended")
    assert len(await desk.audit("view.started")) == 1


async def test_a_view_its_host_lists_a_moment_longer_is_over(desk: Desk) -> None:
    """What has ended does not begin again under nobody's name."""
    session = await desk.watch(desk.admin, await desk.enrol())
    viewers = dict(desk.host.viewers)
    await desk.admin.delete(session)
    desk.host.viewers = viewers
    await desk.gateway.rooms.ledger.sweep()
    assert len(await desk.audit("view.started")) == 1


async def test_a_view_of_a_removed_camera_is_over(desk: Desk) -> None:
    """A session that ends while its camera is being removed leaves nothing behind."""
    ledger = desk.gateway.rooms.ledger
    session = await desk.watch(desk.admin, await desk.enrol())
    span = ledger.get(view_key(session.rsplit("/", 1)[-1]))
    assert span is not None
    span.camera = CameraId("none")
    ledger.session_ended(span.session)
    await until(lambda: ledger.open_spans == 0, what="the view to be over")


async def test_an_unknown_camera_or_stream_is_told(desk: Desk) -> None:
    """404 and 422."""
    camera = await desk.enrol()
    assert (await desk.admin.post("/whep/none/main", content=b"v=0", headers=SDP)).status_code == 404
    assert (await desk.admin.post(f"/whep/{camera}/third", content=b"v=0", headers=SDP)).status_code == 422


async def test_relays_are_named_with_credentials_to_who_may_watch(tmp_path: Path) -> None:
    """OPTIONS and the answer name the TURN servers, each time anew; the session says that there are some."""
    live = LiveSettings.model_validate({"turn_urls": ["turn:turn.example.org"], "turn_secret": "s" * 32})
    settings = settings_in(tmp_path).model_copy(update={"live": live})
    async with open_desk(tmp_path, settings=settings) as desk:
        camera = await desk.enrol()
        asked = await desk.admin.options(f"/whep/{camera}/main")
        answered = await desk.admin.post(f"/whep/{camera}/main", content=b"v=0", headers=SDP)
        session = await desk.admin.get("/api/v1/session")
        nobody = await desk.anybody()
        refused = await nobody.options(f"/whep/{camera}/main")
    links = [answer.headers["link"] for answer in (asked, answered)]
    assert all(link.startswith('<turn:turn.example.org>; rel="ice-server"; username="') for link in links)
    assert links[0] != links[1]
    assert session.json()["ice_servers"] is True
    assert (refused.status_code, "link" in refused.headers) == (401, False)


async def test_no_server_is_named_by_default(desk: Desk) -> None:
    """As shipped nothing outside is ever asked, and the session says so."""
    camera = await desk.enrol()
    asked = await desk.admin.options(f"/whep/{camera}/main")
    assert "link" not in asked.headers
    assert (await desk.admin.get("/api/v1/session")).json()["ice_servers"] is False
