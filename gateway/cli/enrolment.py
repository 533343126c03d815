"""The simulated borough's cameras, enrolled as a person would."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog
from pydantic import SecretStr

from drivers.model import CameraTarget, Credentials
from gateway.app import Gateway
from gateway.audit.events import Action, Actor, AuditEvent
from gateway.cli.borough import BoroughProcess
from gateway.fleet.calls import HostBusyError, HostUnreachableError
from gateway.fleet.cameras import CameraFacts
from kernel.clock import NS_PER_S, Clock
from kernel.geography import Place

log = structlog.get_logger()

AT_ONCE = 6
PATIENCE_S = 90.0
"""A slow machine that starts a town has its hosts answer late for a while; nobody begins again for that."""
_T = TypeVar("_T")
ME = Actor(id="demo", name="sightline demo", address="")


async def enrol_borough(gateway: Gateway, borough: BoroughProcess, *, told: Callable[[str], None]) -> None:
    """Enrol every camera of the borough as a person would, a few at once; known ones get their new addresses.

    Tell of each: looking closely at a camera, its head tried out, takes some seconds.
    """
    turns = asyncio.Semaphore(AT_ONCE)
    here = {camera["number"] for camera in (*borough.cameras, *borough.units)}
    for left in gateway.fleet.cameras():
        if left.number not in here:  # an earlier demonstration had more; they would be sought for ever
            await gateway.fleet.remove(left)
    known = {camera.number for camera in gateway.fleet.cameras()}

    async def enrol(camera: dict[str, Any]) -> None:
        async with turns:
            facts = facts_of(camera) if camera["number"] not in known else CameraFacts()
            target = target_of(camera)
            enrolled, seen = await patiently(lambda: gateway.fleet.enrol(target, facts), clock=gateway.rooms.clock)
        told(f"  {enrolled[0].number}  {enrolled[0].name}")
        gateway.trail.note(
            AuditEvent(
                action=Action.ENROLLED,
                actor=ME,
                subject=enrolled[0].id,
                details={"number": enrolled[0].number, "name": enrolled[0].name, "known": seen},
            )
        )

    async with asyncio.TaskGroup() as tasks:
        for camera in borough.cameras:
            tasks.create_task(enrol(camera))


async def patiently(call: Callable[[], Awaitable[_T]], *, clock: Clock) -> _T:
    """Return what a call of a camera host gives, asking again while the host answers late: it may be starting still.

    Raises:
        HostError: it still does not answer after :data:`PATIENCE_S`; or it refused, which is not asked again.
    """
    until_ns = clock.monotonic_ns() + round(PATIENCE_S * NS_PER_S)
    while True:
        try:
            return await call()
        except (HostUnreachableError, HostBusyError) as error:
            if clock.monotonic_ns() >= until_ns:
                raise
            log.info("demo.host_late", error=error.code)
            await clock.sleep(error.retry_after_s or 1.0)


def target_of(camera: dict[str, Any], address: str | None = None) -> CameraTarget:
    """Return how to reach a simulated camera, at ``address`` where it says another by now."""
    return CameraTarget(
        address=address or camera["device_url"],
        credentials=Credentials(username=camera["username"], password=SecretStr(camera["password"])),
    )


def facts_of(camera: dict[str, Any]) -> CameraFacts:
    """Return what a surveyor would say of a simulated camera."""
    return CameraFacts(
        number=camera["number"],
        name=camera["name"],
        street=camera.get("street") or None,
        group="Town",
        place=Place(camera["latitude"], camera["longitude"], camera["height_m"]),
        bearing_deg=camera["bearing_deg"],
    )
