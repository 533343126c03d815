"""Deployments over the API: from referral to evaluation, and what their cameras do meanwhile."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.api.times import iso
from gateway.db.audit import AuditRows
from gateway.db.deployments import DeploymentRows
from gateway.deployments.geofence import Shock
from gateway.stationed import check_logs
from kernel.clock import NS_PER_S, SystemClock, utc
from tests.fakes.deploying import PLACE, REFERRAL, Deploying
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.leaping import LeapingClock
from tests.fakes.outside import heard as hear
from tests.fakes.waiting import until
from tests.integration.test_api_deployment_bounds import member

ROUND = ((0.01, 0.01), (0.01, -0.01), (-0.01, -0.01), (-0.01, 0.01))


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Return a gateway without cameras."""
    async with open_desk(tmp_path) as desk:
        yield desk


@pytest_asyncio.fixture
async def deploying(desk: Desk) -> Deploying:
    """Return a deployable camera, and people who deploy it."""
    return await Deploying.at(desk)


async def test_a_deployment_lives_from_referral_to_evaluation(deploying: Deploying) -> None:
    """Each step leads where it should, and the log has a line for each, by whoever took it."""
    standing = await deploying.deployed()
    assert (standing["stage"], standing["valid"], standing["unit"]) == ("deployed", True, "D017")
    assert standing["cameras"] == [deploying.camera]
    soon = standing["review"]
    await deploying.step("reviews", found="Quieter.", needed=True, next=soon)
    await deploying.step("removal", text="Solved.")
    assert (await deploying.photo("sign-down")).status_code == 201
    await deploying.step("signs-down", text="Both.")
    over = await deploying.step("evaluations", found="No report since.", effect="solved")
    assert (over["stage"], over["valid"], over["lines"]) == ("evaluated", False, 18)
    lines = (await deploying.team.get(f"{deploying.path}/log")).json()
    assert [line["step"] for line in lines] == [
        "referred",
        *["checked"] * 5,
        *["document"] * 2,
        "granted",
        "planned",
        "photo",
        "signs-up",
        "installed",
        "reviewed",
        "removed",
        "photo",
        "signs-down",
        "evaluated",
    ]
    assert {line["by"] for line in lines} == {"some-operator", "some-supervisor"}


async def test_every_step_is_in_the_audit_with_its_digest(deploying: Deploying) -> None:
    """The audit has an entry for each line of the log, and the digest that the line has."""
    await deploying.deployed()
    lines = (await deploying.team.get(f"{deploying.path}/log")).json()
    recorded = [one for one in await deploying.desk.audit() if one.action.startswith("deployment.")]
    assert [one.action for one in recorded] == [f"deployment.{line['step']}" for line in lines]
    assert all(line["digest"] in one.details for line, one in zip(lines, recorded, strict=True))
    async with deploying.desk.gateway.database.read() as connection:
        now_ns = SystemClock().wall_ns()
        report = await check_logs(AuditRows(connection), DeploymentRows(connection), now_ns=now_ns)
    assert (report.problems, report.lines, report.on_their_way) == ((), len(lines), 0)


async def test_whoever_referred_it_does_not_decide(deploying: Deploying) -> None:
    """A supervisor who refers needs another one."""
    deploying.team = deploying.chief
    await deploying.ready()
    refused = await deploying.ask("decision", granted=True, reason="Because I say so.")
    assert (refused.status_code, refused.json()["type"]) == (409, "deployment.decider")
    second = await deploying.desk.person("supervisor", "second")
    await deploying.step("decision", by=second, granted=True, reason="I agree.")


async def test_a_program_signs_no_decision(deploying: Deploying) -> None:
    """An administrator's token does not grant."""
    await deploying.ready()
    program = await deploying.desk.token("administrator")
    answer = await deploying.ask("decision", by=program, granted=True, reason="Automatic.")
    assert answer.status_code == 403


async def test_a_refusal_has_its_reason_and_signature(deploying: Deploying) -> None:
    """It is the end of it, and the log says by whom and why."""
    await deploying.refer()
    refused = await deploying.step("decision", by=deploying.chief, granted=False, reason="Other means will do.")
    assert (refused["stage"], refused["decided_by"]) == ("refused", "some-supervisor")
    line = (await deploying.team.get(f"{deploying.path}/log")).json()[-1]
    assert line["said"] == {"reason": "Other means will do."}
    assert (await deploying.ask("plan", camera=deploying.camera, responsible="Me")).status_code == 409


async def test_its_camera_records_only_while_it_stands(deploying: Deploying) -> None:
    """Nothing before it is installed, from the end of its stay on, and after it is removed; the host is told why."""
    told = deploying.desk.host.assignments
    assert "no valid deployment" in told[deploying.camera].withheld
    assert told[deploying.camera].withheld_from_ns is None
    standing = await deploying.deployed()
    until_ns = told[deploying.camera].withheld_from_ns
    assert until_ns is not None
    assert iso(until_ns) == standing["until"]
    await deploying.step("removal", text="Solved.")
    assert told[deploying.camera].withheld_from_ns is None
    assert told[deploying.camera].withheld


async def test_its_camera_stands_where_it_was_put_up(deploying: Deploying) -> None:
    """Place, street and bearing are the deployment's; afterwards it stands nowhere."""
    await deploying.deployed()
    camera = (await deploying.team.get(f"/api/v1/cameras/{deploying.camera}")).json()
    assert (camera["place"], camera["street"], camera["bearing_deg"]) == (PLACE, "Mill Lane", 90.0)
    await deploying.step("removal", text="Solved.")
    camera = (await deploying.team.get(f"/api/v1/cameras/{deploying.camera}")).json()
    assert (camera["place"], camera["street"], camera["bearing_deg"]) == (None, "", None)


async def test_how_sure_a_place_is_is_on_file(deploying: Deploying) -> None:
    """A phone says how far off it may be: that is kept with the place, and in the log. Less than nothing it is not."""
    await deploying.planned()
    refused = await deploying.ask("installation", place=PLACE, accuracy_m=-1)
    assert refused.status_code == 422
    standing = await deploying.step("installation", place=PLACE, accuracy_m=63.5)
    assert standing["accuracy_m"] == 63.5
    line = (await deploying.team.get(f"{deploying.path}/log")).json()[-1]
    assert (line["step"], line["said"]["accuracy_m"]) == ("installed", 63.5)


async def test_which_unit_was_put_up_is_said_and_on_file(deploying: Deploying) -> None:
    """Another than the planned one is refused: it would be told to record where it does not hang."""
    await deploying.planned()
    other = await deploying.ask("installation", unit="D018", place=PLACE)
    assert (other.status_code, other.json()["title"]) == (422, "D018 was put up, and D017 is planned.")
    unsaid = await deploying.ask("installation", unit=None, place=PLACE)
    assert (unsaid.status_code, (await deploying.team.get(deploying.path)).json()["stage"]) == (422, "planned")
    await deploying.step("installation", unit="D017", place=PLACE)
    assert (await deploying.team.get(f"{deploying.path}/log")).json()[-1]["said"]["unit"] == "D017"


async def test_who_sees_a_unit_says_that_it_is_down(deploying: Deploying) -> None:
    """A program does not, nor who may deploy but sees none of its cameras: it stands and records on."""
    desk = deploying.desk
    await deploying.deployed()
    by_program = await deploying.ask("removal", by=await desk.token("operator"), text="Gone.")
    assert (by_program.status_code, by_program.json()["type"]) == (409, "deployment.step")
    blind = await deploying.ask("removal", by=await member(desk, "blind", "deploy"), text="Gone.")
    assert (blind.status_code, blind.json()["type"]) == (403, "access.forbidden")
    assert (await deploying.team.get(deploying.path)).json()["stage"] == "deployed"
    assert (await deploying.step("removal", text="Solved."))["stage"] == "removed"


async def test_a_removal_is_sent_again_by_who_sees_the_camera_no_more(deploying: Deploying) -> None:
    """Once down it is in no area: the phone that lost the answer is told that it is done, not that it may not."""
    desk = deploying.desk
    await deploying.deployed()
    around = [[51.5 + north, -0.1 + east] for north, east in ROUND]
    group = (await desk.admin.post("/api/v1/groups", json={"name": "Mill", "area": around})).json()
    team = await member(desk, "millers", "deploy")
    user = next(one for one in (await desk.admin.get("/api/v1/users")).json() if one["username"] == "millers")
    role = (await desk.admin.post("/api/v1/roles", json={"name": "sees", "permissions": ["view_live"]})).json()
    grant = {"role": role["id"], "user": user["id"], "group": group["id"]}
    assert (await desk.admin.post("/api/v1/grants", json=grant)).status_code == 201
    statuses = [(await deploying.ask("removal", by=team, text="Solved.", key="phone-1-0001")).status_code for _ in "12"]
    assert statuses == [201, 200]


async def test_a_unit_goes_up_again_under_its_grant(deploying: Deploying) -> None:
    """It records again, to the end that it had, as another line of the log and entry of the audit."""
    told = deploying.desk.host.assignments
    until = (await deploying.deployed())["until"]
    await deploying.step("removal", text="Pressed by mistake.")
    again = await deploying.step("installation", place=PLACE, bearing_deg=90.0)
    assert (again["stage"], again["valid"], again["until"], again["removed"]) == ("deployed", True, until, None)
    assert told[deploying.camera].withheld_from_ns is not None
    log = (await deploying.team.get(f"{deploying.path}/log")).json()
    assert [line["step"] for line in log[-3:]] == ["installed", "removed", "installed"]
    assert len(await deploying.desk.audit("deployment.installed")) == 2


async def test_a_phone_that_says_an_old_time_wakes_no_old_grant(tmp_path: Path) -> None:
    """What was down for more than a day stays down, whenever its installation is said to have been."""
    clock = LeapingClock()
    settings = settings_in(tmp_path, session_idle_s=604_800, lock_after_s=0)
    async with open_desk(tmp_path, clock=clock, settings=settings) as desk:
        deploying = await Deploying.at(desk)
        await deploying.deployed()
        await deploying.step("removal", text="Solved.")
        clock.leap(26 * 3600)
        then = {
            "sent_at": utc(clock.wall_ns()).isoformat(),
            "done_at": utc(clock.wall_ns() - NS_PER_S * 90_000).isoformat(),
        }
        late = await deploying.ask("installation", place=PLACE, **then)  # type: ignore[arg-type]
        assert (late.status_code, late.json()["type"]) == (409, "deployment.step")


async def test_a_unit_stands_at_one_place(deploying: Deploying) -> None:
    """Another deployment of the same unit is not installed before it is removed."""
    await deploying.deployed()
    first = deploying.path
    await deploying.planned()
    taken = await deploying.ask("installation", place=PLACE)
    assert (taken.status_code, taken.json()["type"]) == (409, "deployment.taken")
    assert (await deploying.team.get(first)).json()["valid"]


async def test_a_units_camera_is_enrolled_as_that(desk: Desk) -> None:
    """It is marked before any host has it: not one picture of the yard is kept between two requests."""
    camera = await desk.enrol(unit="D017")
    assert desk.host.assigned_count == 1
    assert "deployment" in desk.host.assignments[camera].withheld
    (marked,) = await desk.audit("deployable.marked")
    assert (marked.subject, json.loads(marked.details)["unit"]) == (camera, "D017")
    again = await desk.admin.post("/api/v1/cameras", json={"address": "192.0.2.2"})
    assert again.status_code == 200  # the same device once more, and it is a unit's still
    assert (await desk.admin.get(f"/api/v1/cameras/{camera}/deployable")).json()["deployable"]


async def test_the_camera_of_a_unit_that_stands_is_not_removed(deploying: Deploying) -> None:
    """Its alarms would be nobody's, and its place unsaid, while its footage goes on: it is said to be down first."""
    desk, path = deploying.desk, f"/api/v1/cameras/{deploying.camera}"
    await deploying.deployed()
    refused = await desk.admin.delete(path)
    assert (refused.status_code, refused.json()["type"]) == (409, "deployment.taken")
    assert deploying.camera in desk.host.assignments
    assert await desk.audit("camera.removed") == []
    await deploying.step("removal", text="Solved.")
    assert (await desk.admin.delete(path)).status_code == 204


async def test_a_fixed_camera_is_not_deployed(deploying: Deploying) -> None:
    """Only a unit that is marked so can be planned; a deployed one stays marked."""
    await deploying.deployed()
    mark = f"/api/v1/cameras/{deploying.camera}/deployable"
    assert (await deploying.desk.admin.delete(mark)).status_code == 409
    await deploying.step("removal", text="Solved.")
    assert (await deploying.desk.admin.delete(mark)).status_code == 204
    await deploying.ready()
    await deploying.step("decision", by=deploying.chief, granted=True, reason="Again.")
    assert (await deploying.ask("plan", camera=deploying.camera, responsible="Me")).status_code == 422
    assert (await deploying.team.get(mark)).json()["records"]


@pytest.mark.parametrize("role", ["viewer", "member"])
async def test_others_neither_see_nor_take_steps(deploying: Deploying, role: str) -> None:
    """Who may not deploy reads nothing of it."""
    await deploying.refer()
    other = await deploying.desk.person(role)
    assert (await other.get(deploying.path)).status_code == 403
    assert (await deploying.ask("notes", by=other, text="Hello.")).status_code == 403


async def test_an_operator_does_not_decide(deploying: Deploying) -> None:
    """Deploying is not deciding."""
    await deploying.ready()
    other = await deploying.desk.person("operator", "other")
    assert (await deploying.ask("decision", by=other, granted=True, reason="Fine.")).status_code == 403


async def test_what_awaits_a_decision_is_due(deploying: Deploying) -> None:
    """A referral is listed at once, and not overdue yet."""
    await deploying.refer()
    (one,) = (await deploying.team.get("/api/v1/deployments/due")).json()
    assert (one["why"], one["overdue"], one["deployment"]["title"]) == ("decision", False, REFERRAL["title"])


async def test_signs_of_what_is_withdrawn_are_due_until_they_are_down(deploying: Deploying) -> None:
    """Withdrawn with its signs up it is listed for who goes there, and no longer once they are down."""
    due, hanging = "/api/v1/deployments/due", "/api/v1/deployments?stage=withdrawn&signs_hang=true"
    await deploying.refer(title="Another")
    await deploying.step("withdrawal", text="Not needed.")
    await deploying.planned()
    await deploying.step("withdrawal", text="The problem is gone.")
    id_ = deploying.path.rsplit("/", 1)[-1]
    assert [(one["why"], one["deployment"]["id"]) for one in (await deploying.team.get(due)).json()] == [("signs", id_)]
    assert [one["id"] for one in (await deploying.team.get(hanging)).json()] == [id_]
    assert (await deploying.photo("sign-down")).status_code == 201
    over = await deploying.step("signs-down", text="Both.")
    assert (over["stage"], over["signs_down"] is not None) == ("withdrawn", True)
    assert (await deploying.team.get(due)).json() == []
    assert (await deploying.team.get(hanging)).json() == []


async def test_an_alarm_is_due_until_somebody_acknowledges_it(deploying: Deploying) -> None:
    """A knock is listed though it is over; acknowledged up to the line that was seen it is not, and that is audited."""
    await deploying.deployed()
    (raised,) = await deploying.desk.gateway.rooms.deployments.reported("urn:uuid:1", Shock(peak_g=5.0))
    first = (await deploying.team.get("/api/v1/deployments/due")).json()[0]
    (unseen,) = first["deployment"]["unseen"]
    assert (first["why"], unseen["kind"], unseen["count"], unseen["line"]) == ("alarm", "knocked", 1, raised.entry.n)
    early = await deploying.ask("acknowledgements", kind="knocked", line=unseen["line"] - 1)
    assert (early.status_code, early.json()["type"]) == (409, "deployment.step")
    seen = await deploying.step("acknowledgements", kind="knocked", line=unseen["line"], text="Patrol sent.")
    assert seen["unseen"] == []
    due = (await deploying.team.get("/api/v1/deployments/due")).json()
    assert "alarm" not in [one["why"] for one in due]
    assert len(await deploying.desk.audit("deployment.acknowledged")) == 1


async def test_units_that_move_are_listed_with_where_they_stand(deploying: Deploying) -> None:
    """By label, with their cameras; to who may deploy."""
    units = "/api/v1/deployments/units"
    (stored,) = (await deploying.team.get(units)).json()
    assert stored == {"unit": "D017", "cameras": [deploying.camera], "deployment": None}
    await deploying.deployed()
    (stands,) = (await deploying.team.get(units)).json()
    assert deploying.path.endswith(stands["deployment"])
    viewer = await deploying.desk.person("viewer")
    assert (await viewer.get(units)).status_code == 403


async def test_consoles_are_told_of_every_step(deploying: Deploying) -> None:
    """Who deploys hears which deployment went on, and reads it anew."""
    async with deploying.desk.socket(deploying.chief, "/api/v1/events") as socket:
        await hear(socket, "time")
        known = await deploying.refer()
        told = await hear(socket, "deployment")
    assert (told["deployment"], told["step"]) == (known["id"], "referred")


async def test_a_units_main_stream_comes_on_demand(deploying: Deploying) -> None:
    """Its link is thin: sub alone is taken, but while somebody asks for main, which ends by itself or at once."""
    desk, path = deploying.desk, f"/api/v1/cameras/{deploying.camera}"
    assert desk.host.assignments[deploying.camera].small_only
    answer = await deploying.team.put(f"{path}/main-stream", json={"minutes": 5})
    assert answer.status_code == 200, answer.text
    assert not desk.host.assignments[deploying.camera].small_only
    assert (await deploying.team.get(path)).json()["thin_link"] == answer.json()
    assert (await deploying.team.delete(f"{path}/main-stream")).status_code == 204
    await until(lambda: desk.host.assignments[deploying.camera].small_only, what="sub alone")
    assert (await deploying.team.get(path)).json()["thin_link"] == {"main_until": None}
    told = [json.loads(one.details)["minutes"] for one in await desk.audit("camera.main-stream")]
    assert told == [5, 0]


async def test_a_unit_on_a_cable_has_both_streams(deploying: Deploying) -> None:
    """Its mark says so; then there is nothing to ask for."""
    path = f"/api/v1/cameras/{deploying.camera}"
    answer = await deploying.desk.admin.put(f"{path}/deployable", json={"unit": "D017", "thin_link": False})
    assert (answer.status_code, answer.json()["thin_link"]) == (200, False)
    assert not deploying.desk.host.assignments[deploying.camera].small_only
    assert (await deploying.team.put(f"{path}/main-stream", json={})).status_code == 404
    assert (await deploying.team.get(path)).json()["thin_link"] is None


def told_until(deploying: Deploying) -> str | None:
    """Return until when the host may record."""
    from_ns = deploying.desk.host.assignments[deploying.camera].withheld_from_ns
    return iso(from_ns) if from_ns is not None else None


async def test_the_host_is_told_until_when_it_may_record(deploying: Deploying) -> None:
    """It ends a recording by itself where the gateway is away then; an extension is told at once."""
    assert (bool(deploying.desk.host.assignments[deploying.camera].withheld), told_until(deploying)) == (True, None)
    known = await deploying.deployed()
    assert told_until(deploying) == known["until"]
    later = (datetime.fromisoformat(known["until"]) + timedelta(days=10)).isoformat()
    longer = await deploying.step("extension", by=deploying.chief, until=later, reason="Still needed.")
    assert told_until(deploying) == longer["until"] != known["until"]
