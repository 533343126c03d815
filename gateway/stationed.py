"""Joins deployments with the rooms that do not know of them: cameras go where they say, and the audit is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from config.deployments import DeploymentSettings
from gateway.access.groups import Standing
from gateway.audit.events import SYSTEM, Action, Actor, AuditEvent, Detail
from gateway.audit.trail import Trail
from gateway.db.audit import AuditRows
from gateway.db.deployments import DeploymentRows
from gateway.db.engine import Database
from gateway.deployments.proof import LogsCheck, LogsReport
from gateway.deployments.reminding import open_reminding
from gateway.deployments.service import Deployments, Taken, open_deployments
from gateway.deployments.standing import WITHHELD
from gateway.deployments.stays import Stays
from gateway.fleet.cameras import Camera, CameraFacts
from gateway.fleet.hosts import HostError
from gateway.fleet.links import HostPlace
from gateway.fleet.service import Fleet, open_fleet
from gateway.vault import Vault
from kernel.clock import Clock
from kernel.geography import Place

log = structlog.get_logger()

PRESETS_S = 5.0
"""A head that does not tell its presets within this does not tell them: other steps wait meanwhile."""
FAMILY = "deployment"
"""What the audit calls steps begins so, and a dot."""
PAGE = 2000
OF_THE_PLACE = frozenset({"place", "bearing_deg", "hfov_deg"})
"""What is known of a camera where it stands, and of no other place."""


class Stationed:
    """Satisfies ``gateway.deployments.ports.Estate``: the fleet's cameras, by their device."""

    def __init__(self, fleet: Fleet, stays: Stays) -> None:
        self._fleet = fleet
        self._stays = stays

    def has(self, urn: str) -> bool:
        """See ``Estate``."""
        return bool(self._of(urn))

    async def put_up(self, urn: str, place: Place, street: str, bearing_deg: float | None, *, at_ns: int) -> None:
        """See ``Estate``."""
        facts = CameraFacts(place=place, street=street, bearing_deg=bearing_deg)
        clear = OF_THE_PLACE - ({"place"} if bearing_deg is None else {"place", "bearing_deg"})
        for camera in self._of(urn):
            await self._fleet.change(camera, facts, clear=clear, moved_ns=at_ns)

    async def take_down(self, urn: str, *, at_ns: int) -> None:
        """See ``Estate``."""
        for camera in self._of(urn):
            await self._fleet.change(camera, CameraFacts(street=""), clear=OF_THE_PLACE, moved_ns=at_ns)

    async def unconfirmed(self, urn: str) -> tuple[str, ...]:
        """See ``Estate``. Of a head that cannot be asked for its presets, nothing is known against them."""
        found = []
        for camera in self._of(urn):
            if not (camera.bounds.empty or camera.bounds.confirmed):
                found.append("limits and no-look zones")
            if camera.view.head is not None and await self._void_presets(camera):
                found.append("presets")
        return tuple(found)

    async def _void_presets(self, camera: Camera) -> bool:
        try:
            async with asyncio.timeout(PRESETS_S):
                known = await self._fleet.host_of(camera).presets(camera.id)
        except (HostError, TimeoutError) as error:
            log.warning("deployment.presets_unknown", camera=camera.id, error=str(error))
            return False
        return bool(await self._stays.void_presets(camera.id, [preset.token for preset in known.presets]))

    async def judge(self, urn: str) -> None:
        """See ``Estate``."""
        await self._fleet.judge(urn)

    def _of(self, urn: str) -> list[Camera]:
        return [camera for camera in self._fleet.cameras() if camera.description.identity.urn == urn]


def stands(deployments: Deployments, urn: str) -> CameraFacts | None:
    """Return what a deployment says of where a device's cameras stand; ``None`` where it stands by none."""
    known = deployments.standing(urn)
    return CameraFacts(place=known.place, street=known.street, bearing_deg=known.bearing_deg) if known else None


class StepRecorder:
    """Has the audit told of steps that nobody asked for: the clock's."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail

    def heard(self, taken: Taken) -> None:
        """Record one."""
        self._trail.note(step_event(taken, SYSTEM))


class Withholding:
    """Satisfies ``gateway.fleet.service.Withheld``: a host ends a recording on time, whether we are there or not."""

    def __init__(self, deployments: Deployments, settings: DeploymentSettings) -> None:
        self._deployments = deployments
        self._always = settings.record_without

    def __call__(self, urn: str) -> tuple[str, int | None]:
        """Return why nothing may be recorded of a device, and from when on."""
        why, standing = self._deployments.withheld(urn), self._deployments.standing(urn)
        if why or standing is None or self._always:
            return why, None
        return WITHHELD, standing.until_ns


class Standings:
    """Satisfies ``gateway.access.decision.Estate``: where the fleet's cameras stand, and whether anything says why."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def standing(self) -> Sequence[Standing]:
        """Return every camera with what decides on its groups."""
        return [
            Standing(camera=one.id, label=one.group, place=one.place, withheld=bool(self._fleet.withheld(one)))
            for one in self._fleet.cameras()
        ]


def step_event(taken: Taken, actor: Actor) -> AuditEvent:
    """Return what the audit is told of a step: which line of the deployment's log, and its digest."""
    entry, known = taken.entry, taken.deployment
    details: dict[str, Detail] = {
        "deployment": known.id,
        "line": entry.n,
        "digest": entry.digest,
        "unit": known.unit,
        "urn": known.urn,
    }
    return AuditEvent(action=Action(f"{FAMILY}.{entry.step}"), actor=actor, subject=known.id, details=details)


async def check_logs(audit: AuditRows, logs: DeploymentRows, *, now_ns: int) -> LogsReport:
    """Hold every deployment's log against what the audit was told of it. The audit itself is another check's business.

    The audit is read first: what it has was in a log before, and what it lacks may be on its way.
    """
    check = LogsCheck(now_ns=now_ns)
    after = 0
    while page := await audit.stored_details(FAMILY, after, limit=PAGE):
        for seq, details in page:
            said = _said(details)
            check.tell(seq, said.get("deployment"), said.get("line"), said.get("digest"))
        after = page[-1][0]
    if page is None:
        check.found(f"An audit entry after {after} holds bytes that are no text: it was altered.")
    sizes = await logs.stored_sizes()
    if sizes is None:
        check.found("The list of deployments holds bytes that are no text: it was altered.")
        sizes = {}
    for one in sorted({*check.deployments, *sizes}, key=str):
        check.take(one, sizes.get(one), await logs.stored_log(one))
    return check.report()


def _said(details: object) -> dict[str, object]:
    """Return the details of an audit entry, whatever stands there: nothing where they are none."""
    try:
        said = json.loads(details) if isinstance(details, str) else {}
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


@asynccontextmanager
async def open_stationed(  # noqa: PLR0913 - what both are opened with
    database: Database,
    places: Sequence[HostPlace],
    trail: Trail,
    *,
    settings: DeploymentSettings,
    clock: Clock,
    vault: Vault,
) -> AsyncIterator[tuple[Deployments, Fleet]]:
    """Give the deployments, and the fleet that follows them: no host is ever told to record what may not be."""
    async with (
        open_deployments(database, clock=clock, settings=settings) as deployments,
        open_fleet(
            database,
            places,
            clock=clock,
            vault=vault,
            withheld=Withholding(deployments, settings),
            thin=deployments.thin,
        ) as fleet,
    ):
        deployments.join(Stationed(fleet, Stays(database, clock=clock)))
        stop = deployments.listen(StepRecorder(trail).heard)
        try:
            async with open_reminding(deployments, clock=clock):
                yield deployments, fleet
        finally:
            stop()
            deployments.part()
