"""Who saw this camera, and what did this person see: asked over the API, on screen and as CSV."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from gateway.app import open_gateway
from gateway.audit.events import Action, Actor, AuditEvent
from gateway.audit.key import FILE
from gateway.db.audit import AuditFilter
from kernel.clock import SystemClock, utc
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.host import FakeHost
from tests.fakes.waiting import told

SEEN = "/api/v1/audit/seen"


def lately(**asked: str) -> dict[str, str]:
    """Return a question about the hour around now."""
    now = utc(SystemClock().wall_ns())
    return {
        "start": (now - timedelta(minutes=30)).isoformat(),
        "end": (now + timedelta(minutes=30)).isoformat(),
        **asked,
    }


async def user_id(client: httpx.AsyncClient) -> str:
    """Return who is signed in."""
    return str((await client.get("/api/v1/session")).json()["user"]["id"])


async def test_who_saw_this_camera(desk: Desk) -> None:
    """A view that goes on is told with its beginning, one that ended with both, each with who it was."""
    camera = await desk.enrol()
    viewer = await desk.person("viewer")
    session = await desk.watch(viewer, camera)
    await desk.gateway.trail.settled()
    (entry,) = (await desk.admin.get(SEEN, params=lately(camera=camera))).json()["entries"]
    assert (entry["action"], entry["actor"], entry["end"]) == ("view.started", "some-viewer", None)
    assert (await viewer.delete(session)).status_code == 200
    await desk.gateway.trail.settled()
    (entry,) = (await desk.admin.get(SEEN, params=lately(camera=camera))).json()["entries"]
    assert entry["action"] == "view.ended"
    assert entry["start"] <= entry["end"]


async def test_what_this_person_saw(desk: Desk) -> None:
    """At every camera, and nothing that others saw."""
    camera = await desk.enrol()
    viewer = await desk.person("viewer")
    person = await user_id(viewer)
    await desk.watch(viewer, camera)
    await desk.watch(desk.admin, camera)
    once = Actor(id=person, name="some-viewer", address="192.0.2.1")
    desk.gateway.trail.note(AuditEvent(action=Action.STILL, actor=once, subject="another camera"))
    await desk.gateway.trail.settled()
    seen = (await desk.admin.get(SEEN, params=lately(person=person))).json()["entries"]
    assert [entry["subject"] for entry in seen] == ["another camera", camera]
    both = (await desk.admin.get(SEEN, params=lately(person=person, camera=camera))).json()["entries"]
    assert [entry["subject"] for entry in both] == [camera]


async def test_answers_come_page_by_page(desk: Desk) -> None:
    """The cursor of a page asks for the next, to the last."""
    camera = await desk.enrol()
    viewer = await desk.person("viewer")
    for _ in range(5):
        await desk.watch(viewer, camera)
    await desk.gateway.trail.settled()
    found, before = [], None
    while True:
        params = lately(camera=camera, limit="2") | ({"before": before} if before else {})
        page = (await desk.admin.get(SEEN, params=params)).json()
        found += [entry["seq"] for entry in page["entries"]]
        before = page["before"]
        if before is None:
            break
    assert len(found) == len(set(found)) == 5
    assert found == sorted(found, reverse=True)


async def test_the_answer_as_csv_opens_in_a_spreadsheet_and_runs_nothing(desk: Desk) -> None:
    """RFC 4180 with a header line; a name that begins like a formula is text."""
    camera = await desk.enrol(name='High "Street", north')
    eve = Actor(id="u9", name='=HYPERLINK("http://evil.example")', address="192.0.2.1")
    desk.gateway.trail.note(
        AuditEvent(action=Action.STILL, actor=eve, subject=camera, reference="+44 1", rule="role:x")
    )
    await desk.gateway.trail.settled()
    answer = await desk.admin.get(f"{SEEN}.csv", params=lately(camera=camera))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.text.count("\r\n") == answer.text.count("\n") == 2
    head, row = csv.reader(io.StringIO(answer.text, newline=""), strict=True)
    said = dict(zip(head, row, strict=True))
    assert said["person"] == '\'=HYPERLINK("http://evil.example")'
    assert said["reference"] == "'+44 1"
    assert (said["camera"], said["camera id"], said["act"]) == ('High "Street", north', camera, "playback.still")
    assert said["from"] == said["to"] != ""


async def test_csv_is_whole_however_long(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes through all pages."""
    monkeypatch.setattr("gateway.api.seen.CSV_PAGE", 3)
    camera = await desk.enrol()
    for _ in range(7):
        desk.gateway.trail.note(
            AuditEvent(action=Action.STILL, actor=Actor(id="u9", name="n", address=""), subject=camera)
        )
    await desk.gateway.trail.settled()
    rows = (await desk.admin.get(f"{SEEN}.csv", params=lately(person="u9"))).text.splitlines()
    assert len(rows) == 8


async def test_asking_is_itself_on_record(desk: Desk) -> None:
    """Who asked about whom, for what time, and whether they took it away."""
    await desk.admin.get(SEEN, params=lately(camera="c1"))
    await desk.admin.get(f"{SEEN}.csv", params=lately(person="u1"))
    read = [json.loads(entry.details) for entry in await desk.audit("audit.read")]
    assert [(one["camera"], one["user"], one["csv"]) for one in read] == [("c1", None, False), (None, "u1", True)]


@pytest.mark.parametrize(
    "params",
    [
        lately(),
        lately(camera="c1") | {"end": "2020-01-01T00:00:00Z"},
        lately(camera="c1", before="x"),
        {"camera": "c1"},
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(desk: Desk, params: dict[str, str]) -> None:
    """With 422 and a reason."""
    answer = await desk.admin.get(SEEN, params=params)
    assert answer.status_code == 422
    assert answer.json()["title"]


@pytest.mark.parametrize("path", [SEEN, f"{SEEN}.csv", "/api/v1/audit"])
async def test_what_no_clock_here_can_say_is_refused(desk: Desk, path: str) -> None:
    """An instant that the record could not hold is told to be one, and so is a page that there cannot be."""
    params = {"camera": "c1", "start": "0001-01-01T00:00:00Z", "end": "9999-12-31T23:59:59Z"}
    answer = await desk.admin.get(path, params=params)
    assert (answer.status_code, answer.json()["type"]) == (422, "api.request")
    page = {"before": "9999999999999999999.999999999999999999"}
    assert (await desk.admin.get(SEEN, params=lately(camera="c1", **page))).status_code in {200, 422}


async def test_everybody_on_record_can_be_chosen(desk: Desk) -> None:
    """Also who was removed since."""
    viewer = await desk.person("viewer")
    person = await user_id(viewer)
    assert (await desk.admin.delete(f"/api/v1/users/{person}")).status_code == 204
    await desk.gateway.trail.settled()
    people = {one["id"]: one["name"] for one in (await desk.admin.get("/api/v1/audit/people")).json()}
    assert people[person] == "some-viewer"


async def test_a_view_is_one_span_of_the_log(desk: Desk) -> None:
    """Beginning and end share an identifier; the end says from when to when."""
    camera = await desk.enrol()
    viewer = await desk.person("viewer")
    await viewer.delete(await desk.watch(viewer, camera))
    started, ended = await desk.audit("view.started") + await desk.audit("view.ended")
    assert started.span
    assert started.span == ended.span
    assert (started.from_ns, started.to_ns) == (ended.from_ns, None)
    assert ended.from_ns is not None
    assert ended.to_ns is not None
    assert ended.from_ns <= ended.to_ns


async def test_what_a_gateway_that_died_left_open_is_ended_by_the_next(tmp_path: Path) -> None:
    """It lasted to that moment at most, and does not go on for ever in the record."""
    async with open_desk(tmp_path) as desk:
        viewer = Actor(id="u7", name="Ann", address="192.0.2.7")
        left = AuditEvent(
            action=Action.VIEW_STARTED,
            actor=viewer,
            subject="c1",
            rule="grant:g",
            reference="INC 1",
            span="s",
            from_ns=5,
        )
        await desk.gateway.trail.append(left)
    again = open_gateway(settings_in(tmp_path), clock=SystemClock(), open_host=FakeHost().open)
    async with again as gateway:
        await gateway.trail.settled()
        (ended,) = await gateway.trail.entries(AuditFilter(action="view.ended"), limit=10)
        assert (ended.span, ended.actor_id, ended.actor, ended.subject) == ("s", "u7", "Ann", "c1")
        assert (ended.rule, ended.reference, ended.from_ns) == ("grant:g", "INC 1", 5)
        assert ended.to_ns is not None
        assert await gateway.trail.still_open() == []


async def test_the_gateway_writes_checkpoints_of_itself(tmp_path: Path) -> None:
    """Signed by a key in its data directory, the last one when it stops."""
    async with open_desk(tmp_path) as desk:
        await told(lambda: desk.audit("access.set-up"), len, what="an entry")
    assert (tmp_path / FILE).exists()
    assert (tmp_path / "audit-checkpoints").read_text().startswith("sightline/audit\n")
