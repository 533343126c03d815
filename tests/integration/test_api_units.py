"""Units over the API: who enrols and sees them, what is shown once, and the whole way from certificate to state."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import event
from sqlalchemy.engine import Engine

from config.telemetry import TelemetrySettings
from gateway.api.times import iso
from gateway.db.units import TrendRow, UnitRow, UnitRows
from gateway.units import Cause, Link
from kernel.clock import NS_PER_S, SystemClock
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.ports import free_port
from tests.fakes.unit_broker import let_in, unit_client
from tests.fakes.unit_field import say
from tests.fakes.unit_voice import VALUES, Voice
from tests.fakes.waiting import told, until

UNITS = "/api/v1/units"


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Return a gateway that is the broker of its units."""
    telemetry = TelemetrySettings(embedded=True, host="127.0.0.1", port=free_port())
    settings = settings_in(tmp_path).model_copy(update={"telemetry": telemetry})
    async with open_desk(tmp_path, settings=settings) as desk:
        yield desk


def port(desk: Desk) -> int:
    """Return the broker's port."""
    return desk.gateway.rooms.settings.telemetry.port


async def enrolled(desk: Desk, **facts: Any) -> dict[str, Any]:
    """Enrol D017 and return what its certificate is shown as."""
    answer = await desk.admin.post(UNITS, json={"label": "D017", **facts})
    assert answer.status_code == 201, answer.text
    answer = await desk.admin.post(f"{UNITS}/D017/certificate")
    assert answer.status_code == 201, answer.text
    bundle: dict[str, Any] = answer.json()
    return bundle


def tls_of(bundle: dict[str, Any], folder: Path) -> ssl.SSLContext:
    """Return what a unit with that bundle shows and trusts. Blocks."""
    context = ssl.create_default_context(cadata=bundle["authority"])
    (folder / "unit.pem").write_text(bundle["certificate"])
    (folder / "unit.key").write_text(bundle["key"])
    context.load_cert_chain(folder / "unit.pem", folder / "unit.key")
    return context


async def test_a_unit_calls_in_with_what_it_was_given(desk: Desk, tmp_path: Path) -> None:
    """From the certificate that is shown once to its battery on the list; nothing else is needed."""
    tls = await asyncio.to_thread(tls_of, await enrolled(desk, note="spare"), tmp_path)
    voice = Voice("D017", wall_ns=SystemClock().wall_ns())
    async with unit_client(port(desk), tls, "D017", modern=False) as client:
        await say(client, voice, "online", online=True, firmware="2.1.0")
        await say(client, voice, "state/battery", percent=80, volts=12.4, charging=False)

        async def shown() -> Any:
            return (await desk.admin.get(f"{UNITS}/D017")).json()

        unit = await told(shown, lambda one: len(one["states"]) == 2, what="its battery")
        assert unit["link"] == "online"
        assert unit["firmware"] == "2.1.0"
        assert unit["states"][1]["values"] == {"percent": 80, "volts": 12.4, "charging": False}
        times = {"start": "2026-01-01T00:00:00Z", "end": "2036-01-01T00:00:00Z", "kind": "battery"}
        trend = await desk.admin.get(f"{UNITS}/D017/trend", params=times)
        assert [one["values"]["percent"] for one in trend.json()] == [80]
        await client.publish(voice.topic("state/battery"), b"{", qos=1)
        unit = await told(shown, lambda one: one["refusals"], what="a refusal")
        assert [(one["cause"], one["count"]) for one in unit["refusals"]] == [("malformed", 1)]


async def test_a_retired_unit_comes_in_no_more(desk: Desk, tmp_path: Path) -> None:
    """Its certificate is revoked at once, and it can be given no other."""
    tls = await asyncio.to_thread(tls_of, await enrolled(desk), tmp_path)
    assert await let_in(port(desk), tls, "D017")
    assert (await desk.admin.delete(f"{UNITS}/D017")).status_code == 204
    assert not await let_in(port(desk), tls, "D017")
    assert (await desk.admin.post(f"{UNITS}/D017/certificate")).json()["type"] == "unit.retired"
    unit = (await desk.admin.get(f"{UNITS}/D017")).json()
    assert unit["link"] == "retired"
    assert unit["certificates"][0]["revoked"] is not None


async def test_nobody_keeps_the_camera_of_another_unit(desk: Desk, tmp_path: Path) -> None:
    """Said before anybody marked it, it can be forgotten; marked for the right unit, only that one is believed."""
    clients = {}
    for label in ("X99", "D017"):
        assert (await desk.admin.post(UNITS, json={"label": label})).status_code == 201
        bundle = (await desk.admin.post(f"{UNITS}/{label}/certificate")).json()
        clients[label] = await asyncio.to_thread(tls_of, bundle, tmp_path)
    said = {**VALUES["address"], "urn": "urn:uuid:1", "serial": "id:1"}
    voices = {label: Voice(label, wall_ns=SystemClock().wall_ns()) for label in clients}

    async def says(label: str) -> None:
        async with unit_client(port(desk), clients[label], label, modern=False) as client:
            await say(client, voices[label], "state/address", **said)

    async def learnt() -> list[Any]:
        return [(await desk.admin.get(f"{UNITS}/{label}")).json()["urn"] for label in clients]

    await says("X99")
    await told(learnt, lambda urns: urns == ["urn:uuid:1", None], what="what it says")
    camera = await desk.enrol()
    assert (await desk.admin.put(f"/api/v1/cameras/{camera}/deployable", json={"unit": "D017"})).status_code == 200
    forgotten = await desk.admin.delete(f"{UNITS}/X99/camera")
    assert (forgotten.json()["urn"], forgotten.json()["serial"]) == (None, "")
    (entry,) = await desk.audit("unit.camera-forgotten")
    assert entry.subject == "X99"
    assert "urn:uuid:1" in entry.details
    await says("X99")
    await says("D017")
    assert await told(learnt, lambda urns: urns[1], what="the right one") == [None, "urn:uuid:1"]
    refused = (await desk.admin.get(f"{UNITS}/X99")).json()["refusals"]
    assert [one["cause"] for one in refused] == ["wrong-unit"]


async def test_where_a_camera_answers_is_told_to_who_enrols_alone(desk: Desk) -> None:
    """Its address, URN and serial number, and what is said of refusals: over the API and the events socket."""
    camera = await desk.enrol()
    await enrolled(desk, camera=camera)
    rooms = desk.gateway.rooms
    assert rooms.units is not None
    voice = Voice("D017", wall_ns=SystemClock().wall_ns())
    said = {**VALUES["address"], "urn": "urn:uuid:1", "serial": "id:1"}
    viewer = await desk.person("viewer")
    async with desk.socket(viewer, "/api/v1/events") as socket:
        for report in (voice.report("address", **said), voice.report("battery")):
            await rooms.units.register.take("D017", report)
        kinds = list[str]()
        async with asyncio.timeout(40):
            while "state/battery" not in kinds:
                for one in json.loads(await socket.recv()).get("units", ()):
                    kinds += [each["kind"] for each in one["states"]]
    assert kinds == ["state/battery"]
    rooms.units.refusals.count(Cause.OFF_NETWORK, "D017", said="its camera at 192.0.2.9")
    for path in (UNITS, f"{UNITS}/D017"):
        assert "10.9.0.17" in (await desk.admin.get(path)).text
        shown = (await viewer.get(path)).text
        assert '"D017"' in shown
        assert not [one for one in ("10.9.0.17", "urn:uuid:1", "id:1", "192.0.2.9", "state/address") if one in shown]


async def test_a_locked_console_is_told_nothing_of_units_and_health(desk: Desk) -> None:
    """As of everything else: until it is opened again."""
    camera = await desk.enrol()
    await enrolled(desk, camera=camera)
    span = {"start": "2026-01-01T00:00:00Z", "end": "2036-01-01T00:00:00Z", "kind": "battery"}
    paths = [UNITS, f"{UNITS}/D017", f"{UNITS}/D017/trend", "/api/v1/health", f"/api/v1/cameras/{camera}/health"]
    viewer = await desk.person("viewer")
    for path in paths:
        assert (await viewer.get(path, params=span)).status_code == 200
    assert (await viewer.put("/api/v1/session/state", json={"state": "locked"})).status_code == 204
    for path in paths:
        assert (await viewer.get(path, params=span)).json()["type"] == "access.locked", path


async def test_the_key_is_shown_once_and_kept_nowhere(desk: Desk, tmp_path: Path) -> None:
    """Neither later, nor in the audit, nor in the database."""
    bundle = await enrolled(desk)
    middle = bundle["key"].splitlines()[2]
    assert middle not in (await desk.admin.get(f"{UNITS}/D017")).text
    for file in await asyncio.to_thread(lambda: list(tmp_path.rglob("sightline.db*"))):
        assert middle.encode() not in await asyncio.to_thread(file.read_bytes)
    assert middle not in str(await desk.audit())


async def test_what_is_done_to_units_is_audited(desk: Desk) -> None:
    """Who enrolled, changed, certified and retired which."""
    await enrolled(desk, model="Box 3")
    await desk.admin.put(f"{UNITS}/D017", json={"note": "lent", "budget_bytes": 5_000})
    await desk.admin.delete(f"{UNITS}/D017")
    said = [(one.action, one.subject) for one in await desk.audit() if one.action.startswith("unit.")]
    assert said == [(f"unit.{what}", "D017") for what in ("enrolled", "certified", "changed", "retired")]


async def test_a_unit_is_seen_by_who_may_see_its_camera(desk: Desk) -> None:
    """An operator sees the unit of a camera, not one that is nobody's yet; and enrols none."""
    camera = await desk.enrol()
    await enrolled(desk, camera=camera, budget_bytes=1_000)
    await desk.admin.post(UNITS, json={"label": "D018"})
    operator = await desk.person("operator")
    units = (await operator.get(UNITS)).json()["units"]
    assert [(one["label"], one["cameras"]) for one in units] == [("D017", [camera])]
    assert (await operator.get(f"{UNITS}/D018")).json()["type"] == "unit.unknown"
    assert (await operator.get(f"{UNITS}/D017")).json()["data"]["budget_bytes"] == 1_000
    for answer in (
        await operator.post(UNITS, json={"label": "D019"}),
        await operator.put(f"{UNITS}/D017", json={}),
        await operator.post(f"{UNITS}/D017/certificate"),
        await operator.delete(f"{UNITS}/D017"),
    ):
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"label": "D/17"}, "unit.label"),
        ({"label": "D017"}, "database.conflict"),
        ({"label": "D018", "camera": "0" * 32}, "fleet.unknown-camera"),
    ],
)
async def test_what_cannot_be_enrolled_is_told(desk: Desk, body: dict[str, str], problem: str) -> None:
    """As problem details."""
    await enrolled(desk)
    assert (await desk.admin.post(UNITS, json=body)).json()["type"] == problem


async def test_without_a_broker_there_are_no_units(tmp_path: Path) -> None:
    """It says which setting is missing, and nothing of it is made on disk."""
    async with open_desk(tmp_path) as desk:
        answer = await desk.admin.get(UNITS)
        assert answer.json()["type"] == "api.units-off"
        assert not await asyncio.to_thread((tmp_path / "telemetry").exists)


async def test_one_certificate_is_revoked_and_the_other_goes_on(desk: Desk, tmp_path: Path) -> None:
    """The old one, once the unit has taken the new one: it lets nobody in any more, and that is audited."""
    old = await enrolled(desk)
    new = (await desk.admin.post(f"{UNITS}/D017/certificate")).json()
    (tmp_path / "old").mkdir()
    was, tls = await asyncio.to_thread(tls_of, old, tmp_path / "old"), await asyncio.to_thread(tls_of, new, tmp_path)
    assert (await desk.admin.delete(f"{UNITS}/D017/certificates/{old['serial']}")).status_code == 204
    assert not await let_in(port(desk), was, "D017")
    assert await let_in(port(desk), tls, "D017")
    again = await desk.admin.delete(f"{UNITS}/D017/certificates/{old['serial']}")
    assert (again.status_code, again.json()["type"]) == (404, "unit.no-certificate")
    unit = (await desk.admin.get(f"{UNITS}/D017")).json()
    assert unit["certificate_ends"] == new["expires"]
    (event,) = await desk.audit("unit.certificate-revoked")
    assert event.subject == "D017"
    assert old["serial"] in event.details


async def test_what_is_revoked_is_audited_though_no_list_can_be_written(desk: Desk, tmp_path: Path) -> None:
    """Its connection ends and it comes in no more; whoever did it is told what is not done, and so are they again."""
    units = desk.gateway.rooms.units
    assert units is not None
    first = await enrolled(desk)
    await desk.admin.post(f"{UNITS}/D017/certificate")
    tls = await asyncio.to_thread(tls_of, first, tmp_path)
    folder = units.credentials.crl_file.parent
    async with unit_client(port(desk), tls, "D017", modern=False) as client:
        await say(client, Voice("D017", wall_ns=SystemClock().wall_ns()), "online", online=True, firmware="2.1.0")
        await until(lambda: units.register.link("D017") is Link.ONLINE, what="its birth")
        await asyncio.to_thread(folder.rename, tmp_path / "away")
        await asyncio.to_thread(folder.write_text, "no folder")
        for path in (f"certificates/{first['serial']}", f"certificates/{first['serial']}", ""):
            answer = await desk.admin.delete(f"{UNITS}/D017/{path}".removesuffix("/"))
            assert (answer.status_code, answer.json()["type"]) == (500, "unit.unlisted")
    await asyncio.to_thread(folder.unlink)
    await asyncio.to_thread((tmp_path / "away").rename, folder)
    said = [one.action for one in await desk.audit()]
    assert [one for one in said if one in {"unit.certificate-revoked", "unit.retired"}] == [
        "unit.certificate-revoked",
        "unit.retired",
    ]
    assert not await let_in(port(desk), tls, "D017")


async def test_a_label_is_printed_for_who_enrols(desk: Desk) -> None:
    """A PDF with the unit's label, of one unit and of several; none for a unit that is retired or not there."""
    for label in ("D017", "D018"):
        await desk.admin.post(UNITS, json={"label": label})
    one = await desk.admin.get(f"{UNITS}/D017/label.pdf", params={"size": "89x36"})
    assert (one.status_code, one.headers["content-type"], one.content[:5]) == (200, "application/pdf", b"%PDF-")
    query: dict[str, Any] = {"label": ["D017", "D018"], "size": "a4-21", "first": 21}
    several = await desk.admin.get("/api/v1/unit-labels.pdf", params=query)
    assert several.status_code == 200
    assert several.content.count(b"/Type /Page\n") == 2
    assert (await desk.admin.get(f"{UNITS}/D099/label.pdf")).json()["type"] == "unit.unknown"
    await desk.admin.delete(f"{UNITS}/D018")
    assert (await desk.admin.get("/api/v1/unit-labels.pdf", params=query)).json()["type"] == "unit.retired"
    operator = await desk.person("operator")
    assert (await operator.get(f"{UNITS}/D017/label.pdf")).status_code == 403


async def test_the_list_tells_each_units_data_and_battery(desk: Desk, tmp_path: Path) -> None:
    """What is used of the month's budget, and for how long the battery lasts where that can be told."""
    tls = await asyncio.to_thread(tls_of, await enrolled(desk, budget_bytes=5_000), tmp_path)
    voice = Voice("D017", wall_ns=SystemClock().wall_ns())
    async with unit_client(port(desk), tls, "D017", modern=False) as client:
        await say(client, voice, "state/data", sent_bytes=1_000, since="2026-09-01T00:00:00Z")

        async def listed() -> Any:
            return (await desk.admin.get(UNITS)).json()["units"][0]

        unit = await told(listed, lambda one: one["states"], what="its data")
    assert unit["data"]["budget_bytes"] == 5_000
    assert unit["battery_hours"] is None
    assert unit["certificate_ends"] is not None


async def test_a_camera_that_a_unit_is_marked_with_is_its_own(desk: Desk) -> None:
    """Whoever marks a camera as deployable with a unit's label has named its camera, as on the unit itself."""
    camera = await desk.enrol()
    await desk.admin.post(UNITS, json={"label": "D017"})
    assert (await desk.admin.get(f"{UNITS}/D017")).json()["cameras"] == []
    answer = await desk.admin.put(f"/api/v1/cameras/{camera}/deployable", json={"unit": "D017"})
    assert answer.status_code == 200, answer.text
    assert (await desk.admin.get(f"{UNITS}/D017")).json()["cameras"] == [camera]


async def test_a_camera_that_is_enrolled_anew_is_its_units_still(desk: Desk) -> None:
    """Another device by now, it is known by its mark: what the unit says reaches it without a restart."""
    camera = await desk.enrol()
    assert (await desk.admin.post(UNITS, json={"label": "D017", "camera": camera})).status_code == 201
    assert (await desk.admin.delete(f"/api/v1/cameras/{camera}")).status_code == 204
    again = await desk.enrol()
    (listed,) = (await desk.admin.get(UNITS)).json()["units"]
    assert (listed["cameras"], (await desk.admin.get(f"{UNITS}/D017")).json()["cameras"]) == ([again], [again])


async def test_whoever_writes_a_label_may_write_it_in_capitals_or_not(desk: Desk) -> None:
    """It is told, and marked on a camera, as it is printed; a second that differs in that alone is refused."""
    camera = await desk.enrol()
    await desk.admin.post(UNITS, json={"label": "D017"})
    assert (await desk.admin.post(UNITS, json={"label": "d017"})).json()["type"] == "database.conflict"
    marked = await desk.admin.put(f"/api/v1/cameras/{camera}/deployable", json={"unit": "d017"})
    assert marked.json()["unit"] == "D017"
    unit = (await desk.admin.get(f"{UNITS}/d017")).json()
    assert (unit["label"], unit["cameras"]) == ("D017", [camera])
    bundle = (await desk.admin.post(f"{UNITS}/d017/certificate")).json()
    assert (await desk.admin.get(f"{UNITS}/D017")).json()["certificates"][0]["serial"] == bundle["serial"]
    assert {one.subject for one in await desk.audit() if one.action.startswith("unit.")} == {"D017"}


async def kept(desk: Desk, label: str, minutes: int) -> int:
    """Keep what a unit told of its battery, and return when the first of it was: a minute before now the last."""
    first_ns = SystemClock().wall_ns() - minutes * 60 * NS_PER_S
    rows = [
        TrendRow(
            label=label,
            kind="state/battery",
            at_ns=first_ns + minute * 60 * NS_PER_S,
            payload=json.dumps(
                {"percent": 7 if minute == 4_321 else 50 + minute % 3, "volts": 12.0, "charging": False}
            ),
        )
        for minute in range(minutes)
    ]
    async with desk.gateway.database.write() as connection:
        await UnitRows(connection).add_trends(rows)
    return first_ns


async def test_a_trend_is_told_in_few_points_without_losing_an_extreme(desk: Desk) -> None:
    """A week of minutes: the one low minute is there, and each point as the unit told it."""
    await desk.admin.post(UNITS, json={"label": "D017"})
    first_ns = await kept(desk, "D017", 7 * 1440)
    query = {"kind": "battery", "start": iso(first_ns), "end": iso(SystemClock().wall_ns())}
    points = (await desk.admin.get(f"{UNITS}/D017/trend", params=query)).json()
    assert len(points) <= 502
    assert min(one["values"]["percent"] for one in points) == 7
    assert points[0]["time"] == iso(first_ns)
    assert all(one["values"].keys() == {"percent", "volts", "charging"} for one in points)


async def statements(desk: Desk) -> int:
    """Return how many statements about units it takes to tell of all of them; who asks is looked up besides."""
    counted = 0

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal counted
        counted += "unit" in statement

    event.listen(Engine, "before_cursor_execute", count)
    try:
        assert (await desk.admin.get(UNITS)).status_code == 200
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    return counted


async def test_a_thousand_units_are_told_of_as_one_is(desk: Desk) -> None:
    """However many there are, the database is asked nothing of them: what is told and foretold is in memory."""
    await desk.admin.post(UNITS, json={"label": "D0000"})
    async with desk.gateway.database.write() as connection:
        for number in range(1, 1000):
            await UnitRows(connection).add(UnitRow(label=f"D{number:04d}", enrolled_ns=1))
    units = desk.gateway.rooms.units
    assert units is not None
    await units.register.load()
    assert len((await desk.admin.get(UNITS)).json()["units"]) == 1000
    assert await statements(desk) == 0
