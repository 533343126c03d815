"""Live views: proxied to the camera's host, owned by who opened them, each with its start and end in the audit."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from config.live import LiveSettings
from gateway.api.ledger import view_key
from gateway.fleet import rpc
from gateway.fleet.shown import CONVERTED_HEADER, STREAM_HEADER
from kernel.ids import CameraId
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
    assert json.loads(started.details) == {"stream": "sub", "asked": "main", "converted_from": "h265"}


async def test_a_plain_view_says_no_more_than_its_stream(desk: Desk) -> None:
    """What is passed on as it was asked for has its stream named, and no conversion."""
    camera = await desk.enrol()
    answer = await desk.admin.post(f"/whep/{camera}/main", content=b"v=0", headers=SDP)
    assert answer.headers["sightline-stream"] == "main"
    assert "sightline-converted-from" not in answer.headers


async def test_a_player_may_ask_first(desk: Desk) -> None:
    """OPTIONS says what to post."""
    camera = await desk.enrol()
    answer = await desk.admin.options(f"/whep/{camera}/main")
    assert (answer.status_code, answer.headers["accept-post"]) == (204, "application/sdp")


async def test_candidates_are_passed_on(desk: Desk) -> None:
    """PATCH reaches the host."""
    session = await desk.watch(desk.admin, await desk.enrol())
    answer = await desk.admin.patch(session, content=b"a=candidate", headers={**FRAGMENT, "If-Match": '"1"'})
    assert answer.status_code == 204
    assert desk.host.patches == [b"a=candidate"]


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
    assert json.loads(started.details) == {"stream": "sub"}
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
