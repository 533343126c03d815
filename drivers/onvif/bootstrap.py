"""The first words with a device: its time, its services, who it is (docs/design/onvif.md, *Bootstrap*)."""

from typing import NamedTuple

import structlog

from drivers.errors import (
    CameraAnswerError,
    CameraAuthenticationError,
    CameraBusyError,
    CameraFaultError,
    CameraNotOnvifError,
)
from drivers.model import DeviceIdentity
from drivers.onvif.catalogue import Service
from drivers.onvif.locations import Locations
from drivers.onvif.moments import compose
from drivers.onvif.reading import Node
from drivers.onvif.soap import Caller
from kernel.clock import NS_PER_S, Clock

log = structlog.get_logger()

CLOCK_SAMPLES = 4
_SPREAD_S = 0.23
"""Between samples: cameras tell whole seconds, and looks at different parts of a second narrow it down."""

_CAPABILITIES = {
    "Device": Service.DEVICE,
    "Media": Service.MEDIA,
    "PTZ": Service.PTZ,
    "Imaging": Service.IMAGING,
    "Events": Service.EVENTS,
    "Extension/DeviceIO": Service.DEVICE_IO,
}
_KNOWN = {
    service.value.lower().rstrip("/"): service
    for service in Service
    if service not in {Service.EVENT_BROKER, Service.PULL_POINT, Service.SUBSCRIPTION}
}
_KNOWN["http://www.onvif.org/ver10/ptz/wsdl"] = Service.PTZ
_KNOWN["http://www.onvif.org/ver10/imaging/wsdl"] = Service.IMAGING


class ClockReading(NamedTuple):
    """Camera's clock minus ours, and half the width of what is possible, in seconds."""

    offset_s: float
    uncertainty_s: float


async def measure_clock(caller: Caller, device_url: str, *, clock: Clock, samples: int = CLOCK_SAMPLES) -> ClockReading:
    """Ask GetSystemDateAndTime several times (Core section 8.3.5) and keep what all answers allow.

    A camera that answers second ``c`` to a question sent at ``t0`` and answered at ``t1`` is ahead of us by something
    in ``c - t1`` .. ``c + 1 - t0``. The intervals are intersected.

    Raises:
        CameraError: as Caller.call; CameraAnswerError if it tells no time.
    """
    low_s, high_s = float("-inf"), float("inf")
    for number in range(samples):
        if number:
            await clock.sleep(_SPREAD_S)
        before_ns = clock.wall_ns()
        camera_ns = await _ask_time(caller, device_url)
        after_ns = clock.wall_ns()
        lower_s, upper_s = (camera_ns - after_ns) / NS_PER_S, (camera_ns + NS_PER_S - before_ns) / NS_PER_S
        if lower_s > high_s or upper_s < low_s:
            # Its clock jumped between two answers: only the later ones count.
            low_s, high_s = lower_s, upper_s
        else:
            low_s, high_s = max(low_s, lower_s), min(high_s, upper_s)
        caller.offset.seconds = (low_s + high_s) / 2
        caller.offset.known = True
    return ClockReading((low_s + high_s) / 2, (high_s - low_s) / 2)


async def _ask_time(caller: Caller, device_url: str) -> int:
    guarded = "clock-needs-password" in caller.quirks
    try:
        answer = await caller.call(device_url, Service.DEVICE, "GetSystemDateAndTime", anonymous=not guarded)
    except CameraAuthenticationError:
        if guarded:
            raise
        # Panasonic tells the time only to who has a password. A token needs the time: the Date header has served.
        answer = await caller.call(device_url, Service.DEVICE, "GetSystemDateAndTime")
        caller.quirks.learn("clock-needs-password")
    told = answer.one("SystemDateAndTime/UTCDateTime") or answer.one("SystemDateAndTime/LocalDateTime")
    try:
        if told is None:
            raise ValueError  # noqa: TRY301 - one way out for all that is no time
        wall_ns, odd = compose(_three(told, "Date/Year", "Date/Month", "Date/Day"), _three(told, *_TIME))
    except ValueError:
        raise CameraAnswerError(
            "The camera does not tell its time.",
            cure="Set its clock.",
            address=device_url,
            action="GetSystemDateAndTime",
        ) from None
    if odd:
        caller.quirks.learn("odd-times")
    return wall_ns


_TIME = ("Time/Hour", "Time/Minute", "Time/Second")


def _three(node: Node, first: str, second: str, third: str) -> tuple[int, int, int]:
    return int(node.text(first)), int(node.text(second)), int(node.text(third))


async def find_services(caller: Caller, locations: Locations) -> tuple[dict[Service, str], Node | None]:
    """Return the addresses of its services by GetServices, or by GetCapabilities where it does not know that.

    The second part is the capabilities as they came, for what they claim of events; None if there are none.
    """
    found: dict[Service, str] = {}
    claims: Node | None = None
    try:
        answer = await caller.call(locations.device_url, Service.DEVICE, "GetServices", {"IncludeCapability": True})
    except (CameraFaultError, CameraAnswerError, CameraBusyError) as error:
        log.info("camera.no_get_services", address=locations.device_url, error=str(error))
    else:
        for entry in answer.all("Service"):
            named = _KNOWN.get(entry.text("Namespace").lower().rstrip("/"))
            _note(found, named, entry.text("XAddr"), locations)
            if named is Service.EVENTS:
                claims = entry.one("Capabilities/Capabilities") or entry.one("Capabilities")
    if set(found) - {Service.DEVICE}:
        return found | {Service.DEVICE: locations.device_url}, claims
    answer = await caller.call(locations.device_url, Service.DEVICE, "GetCapabilities", {"Category": ["All"]})
    caller.quirks.learn("no-get-services")
    for path, service in _CAPABILITIES.items():
        _note(found, service, answer.text(f"Capabilities/{path}/XAddr"), locations)
    return found | {Service.DEVICE: locations.device_url}, answer.one("Capabilities/Events")


def _note(found: dict[Service, str], service: Service | None, address: str, locations: Locations) -> None:
    if service is None or not address:
        return
    try:
        found.setdefault(service, locations.reach(address))
    except CameraAnswerError as error:
        locations.quirks.note(f"The address of its {service.name.lower()} service cannot be used: {error.message}")


class StrangerError(Exception):
    """Another device answers than the one that should be there. Never leaves this package."""

    def __init__(self, urn: str) -> None:
        super().__init__(urn)
        self.urn = urn


async def check_stranger(caller: Caller, device_url: str, urn: str) -> None:
    """Ask who answers before any proof of ours is shown: GetEndpointReference needs none (Core section 8.1.15).

    One that tells it only to who has a password passes: it is asked again with that.

    Raises:
        StrangerError: it says that it is another one than ``urn``.
        CameraUnreachableError, CameraRefusedAddressError: nobody answers.
    """
    try:
        told = await _endpoint(caller, device_url, anonymous=True)
    except (CameraAuthenticationError, CameraFaultError, CameraAnswerError, CameraBusyError, CameraNotOnvifError):
        return
    if told and told != urn:
        raise StrangerError(told)


async def _endpoint(caller: Caller, device_url: str, *, anonymous: bool = False) -> str:
    """Return its endpoint reference as a URN; empty where it tells none."""
    answer = await caller.call(device_url, Service.DEVICE, "GetEndpointReference", anonymous=anonymous)
    urn = answer.text("GUID")
    return urn if not urn or urn.lower().startswith(("urn:", "uuid:", "http")) else f"urn:uuid:{urn}"


async def identify(caller: Caller, device_url: str) -> DeviceIdentity:
    """Ask GetDeviceInformation and GetEndpointReference (Core sections 8.1.2 and 8.1.15)."""
    told = await caller.call(device_url, Service.DEVICE, "GetDeviceInformation")
    serial = told.text("SerialNumber")
    maker, model = told.text("Manufacturer", "unknown"), told.text("Model", "unknown")
    try:
        urn = await _endpoint(caller, device_url)
    except (CameraFaultError, CameraAnswerError, CameraBusyError):
        urn = ""
    if not urn:
        if not serial:
            caller.quirks.note(
                "It tells neither an endpoint reference nor a serial number: it is known by address only."
            )
        urn = f"urn:sightline:{maker}:{model}:{serial or device_url}".replace(" ", "-").lower()
    return DeviceIdentity(
        urn=urn,
        manufacturer=maker,
        model=model,
        firmware=told.text("FirmwareVersion"),
        serial=serial,
        hardware=told.text("HardwareId"),
    )
