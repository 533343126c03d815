"""The demonstration's deployable units: enrolled, certified, heard, and each deployed for a reason that is on file.

But for one, which is granted and planned, and waits for whoever tries the demonstration to put it up.

What people of a borough do over some days is done here in a moment, step by step and by two hands, and every step is on
record as it would be. The photos of sign and unit are pictures of the unit's own camera: there is no sign in the town.
"""

import asyncio
import hashlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from gateway.app import Gateway
from gateway.cli.borough import BoroughError, BoroughProcess
from gateway.cli.enrolment import ME, facts_of, patiently, target_of
from gateway.db.errors import DatabaseError
from gateway.deployments import steps
from gateway.deployments.deployment import Deployment
from gateway.deployments.hands import Hand, Right
from gateway.deployments.photos import looked_at, step_of
from gateway.fleet.cameras import Camera, CameraFacts
from gateway.stationed import stands, step_event
from gateway.units import Change, Register, Said, Stored, Units
from kernel.errors import SightlineError

FOLDER = "units"
"""In the data directory: certificates and keys of simulated units, which in the field lie in the boxes themselves."""
ADDRESS = "state/address"
CALLS_IN_S = 90.0
TRIES = 5
TEAM = Hand(user_id="demo-team", name="Field team (demonstration)", rights=frozenset({Right.DEPLOY}))
CHIEF = Hand(user_id="demo-chief", name="Decider (demonstration)", rights=frozenset(Right))
PAPER = "Demonstration"
NEWCOMER = "D003"
"""Is left to be put up by a person."""
FIRST_POST = 11


async def enrol_units(gateway: Gateway, borough: BoroughProcess, *, told: Callable[[str], None]) -> None:
    """Have every unit call in, enrol its camera where it says that it is, and deploy it. What people did since stays.

    Raises:
        BoroughError: a unit does not call in.
    """
    units, settings = gateway.rooms.units, gateway.rooms.settings
    if units is None or not borough.units:
        return
    register, folder = units.register, settings.server.data_dir / FOLDER
    for unit in borough.units:
        if not units.register.knows(unit["label"]):
            await units.register.enrol(unit["label"], urn=unit["urn"], serial=unit["serial"], model="Simulated unit")
        await _certify(units, unit["label"], folder)
    began_ns = gateway.rooms.clock.wall_ns()
    # The broker inside speaks MQTT 3.1.1.
    broker = {"url": settings.telemetry.url, "certificates": str(folder.absolute()), "protocol": "3.1.1"}
    await borough.order({"units_broker": broker})

    async def put_up(unit: dict[str, Any]) -> None:
        camera = await _enrol(gateway, register, unit, began_ns)
        if register.unit(unit["label"]).device_id != camera.device_id:
            await register.change(unit["label"], device_id=camera.device_id)
        urn, deployments = camera.description.identity.urn, gateway.rooms.deployments
        if not await deployments.of_devices([urn]):
            await _deploy(gateway, camera, unit)
        known = (await deployments.of_devices([urn]))[0]
        told(f"  {unit['label']}  {camera.name}, {known.stage.value} in {known.street or 'the town'}")

    # Looking closely at a camera, its head tried out, takes some seconds.
    async with asyncio.TaskGroup() as tasks:
        for unit in borough.units:
            tasks.create_task(put_up(unit))


async def _certify(units: Units, label: str, folder: Path) -> None:
    """Give a unit its certificate, where it has none that is good, or lost it with the data directory."""
    files = [folder / "ca.pem", folder / f"{label}.pem", folder / f"{label}.key"]
    there = await asyncio.to_thread(lambda: all(file.exists() for file in files))
    if there and units.credentials.good(label):
        return
    issued = await units.credentials.issue(label)
    texts = (units.credentials.authority, issued.certificate, issued.key)
    await asyncio.to_thread(_write, dict(zip(files, texts, strict=True)))


def _write(texts: dict[Path, str]) -> None:
    for path, text in texts.items():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)


async def _enrol(gateway: Gateway, register: Register, unit: dict[str, Any], began_ns: int) -> Camera:
    """Enrol a unit's camera where it says that it is; should it get another address meanwhile, there."""
    deployments = gateway.rooms.deployments
    known = {camera.number for camera in gateway.fleet.cameras()}
    facts = facts_of(unit) if unit["number"] not in known else CameraFacts()

    async def placed(urn: str) -> CameraFacts | None:
        if deployments.deployable(urn) is None:
            await deployments.mark(urn, unit["label"], by=TEAM)
        return stands(deployments, urn)

    for tried in range(TRIES):
        at = await _address(register, unit["label"], began_ns)
        address = f"http://{at.values['host']}:{at.values['http_port']}/onvif/device_service"
        try:
            target = target_of(unit, address)
            enrolled, _ = await patiently(
                partial(gateway.fleet.enrol, target, facts, placed=placed), clock=gateway.rooms.clock
            )
        except DatabaseError:
            raise
        except SightlineError:
            if tried == TRIES - 1:
                raise
            await gateway.rooms.clock.sleep(1.0)
        else:
            return enrolled[0]
    raise AssertionError  # pragma: no cover - the last try returns or raises


async def _address(register: Register, label: str, since_ns: int) -> Stored:
    """Return where a unit says that it is, once it has said so since an instant."""
    heard = asyncio.Event()

    def look(change: Change) -> None:
        if isinstance(change, Said) and change.label == label:
            heard.set()

    leave = register.listen(look)
    try:
        async with asyncio.timeout(CALLS_IN_S):
            while (at := register.states(label).get(ADDRESS)) is None or at.taken_ns < since_ns:
                heard.clear()
                await heard.wait()
    except TimeoutError:
        raise BoroughError(f"The unit {label} does not call in.", cure="Start the demo again.") from None
    finally:
        leave()
    return at


async def _deploy(gateway: Gateway, camera: Camera, unit: dict[str, Any]) -> None:
    """Take every step from referral to the signature under how it was put up; of the newcomer's to the plan."""
    rooms = gateway.rooms
    deployments, rules = rooms.deployments, rooms.deployments.rules
    place = facts_of(unit).place
    assert place is not None
    referral = steps.Referral(
        title=f"Fly-tipping in {camera.street or 'the town'}",
        problem="Rubble is tipped at night, twice a week.",
        evidence="Fourteen reports since March.",
        alternatives="Letters and patrols did not help.",
        purpose="See which vehicle it is.",
        referred_by=PAPER,
        place=place,
        street=camera.street,
    )
    taken = await deployments.refer(referral, by=TEAM)
    await rooms.trail.append(step_event(taken, ME))
    known = taken.deployment
    digest = hashlib.sha256(PAPER.encode()).hexdigest()
    way: list[tuple[steps.Step, Hand]] = [
        *((steps.Check(criterion=one, met=True, found=PAPER), TEAM) for one in rules.criteria),
        *(
            (steps.Document(kind=kind, title=PAPER, reference=PAPER, sha256=digest), TEAM)
            for kind in (steps.DocumentKind.DPIA, steps.DocumentKind.AUTHORITY)
        ),
        (steps.Grant(reason="Serious, and lasting.", max_days=rules.max_days), CHIEF),
        (
            steps.Plan(
                urn=camera.description.identity.urn,
                unit=unit["label"],
                responsible=PAPER,
                review_days=rules.review_days,
                mount=f"LP {FIRST_POST + unit['number']}",
            ),
            TEAM,
        ),
    ]
    if unit["label"] != NEWCOMER:
        way += await _put_up(gateway, camera, unit, known)
    for step, by in way:
        await rooms.trail.append(step_event(await deployments.step(known.id, step, by=by), ME))


async def _put_up(
    gateway: Gateway, camera: Camera, unit: dict[str, Any], known: Deployment
) -> list[tuple[steps.Step, Hand]]:
    """Return what a field team says of a unit that it puts up."""
    return [
        (await _photo(gateway, camera, known, steps.PhotoKind.SIGN_UP), TEAM),
        (steps.SignsUp(text=PAPER), TEAM),
        (
            steps.Install(unit=unit["label"], place=known.place, street=camera.street, bearing_deg=unit["bearing_deg"]),
            TEAM,
        ),
        (await _photo(gateway, camera, known, steps.PhotoKind.UNIT), TEAM),
        (
            steps.SignOff(
                unit=unit["label"],
                found=steps.Found.CHOSEN,
                live_ns=gateway.rooms.clock.wall_ns(),
                ticks=tuple(steps.Tick),
            ),
            TEAM,
        ),
    ]


async def _photo(gateway: Gateway, camera: Camera, known: Deployment, kind: steps.PhotoKind) -> steps.Photo:
    """Return a picture that a unit's camera makes now, kept as a photo of something."""
    rooms = gateway.rooms
    jpeg = await gateway.fleet.host_of(camera).snapshot(camera.id)
    sha256, _ = await asyncio.to_thread(rooms.photos.put, jpeg)
    return step_of(
        kind,
        looked_at(jpeg),
        digest=sha256,
        size_bytes=len(jpeg),
        of=known,
        now_ns=rooms.clock.wall_ns(),
        spread_m=rooms.deployments.rules.spread_m,
    )
