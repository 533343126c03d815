"""A device that is enrolled: its heads, events, relays, imaging and pictures over one pooled session."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from drivers.addresses import AddressPolicy
from drivers.errors import CameraAnswerError, CameraFaultError, CameraNotOnvifError, CameraUnreachableError
from drivers.model import CameraDescription, CameraTarget, CameraView
from drivers.onvif.bootstrap import ClockReading, check_stranger, find_services, measure_clock
from drivers.onvif.brokers import EventBrokers
from drivers.onvif.catalogue import Service, catalogue
from drivers.onvif.events import CameraEvent, Events, interpret
from drivers.onvif.head import OnvifHead
from drivers.onvif.locations import Locations, candidates
from drivers.onvif.media import Media
from drivers.onvif.quirks import Quirks
from drivers.onvif.session import DEFAULT_LIMITS, Limits, open_session
from drivers.onvif.soap import Caller
from kernel.clock import Clock
from kernel.head import HeadAbilities

JPEG = b"\xff\xd8\xff"


class Device:
    """Made by :func:`open_device`. Every method raises ``drivers.errors.CameraError``."""

    def __init__(self, caller: Caller, locations: Locations, services: dict[Service, str], *, clock: Clock) -> None:
        self.caller = caller
        self.locations = locations
        self.services = services
        self._clock = clock

    @property
    def quirks(self) -> Quirks:
        """What it is known to do wrong; grows while we talk to it."""
        return self.caller.quirks

    @property
    def certificate_ends_ns(self) -> int | None:
        """Return when the certificate ends that it showed last; ``None`` where it was not asked over TLS yet."""
        return self.caller.session.certificate_ends_ns

    def url(self, service: Service) -> str:
        """Return the address of a service.

        Raises:
            CameraFaultError: the device does not have it.
        """
        if service not in self.services:
            raise CameraFaultError(
                f"The camera has no {service.name.lower().replace('_', ' ')} service.",
                cure="Use another camera for this.",
                address=self.locations.device_url,
                fault="NoService",
            )
        return self.services[service]

    async def clock_offset(self) -> ClockReading:
        """Measure the camera's clock minus ours; later tokens and event times are corrected by it."""
        return await measure_clock(self.caller, self.locations.device_url, clock=self._clock)

    def head(self, view: CameraView) -> OnvifHead:
        """Return the head of a view.

        Raises:
            CameraFaultError: the view has none.
        """
        if view.head is None or view.ptz_profile_token is None:
            raise CameraFaultError(
                "This camera cannot be steered.", cure="Pick one with a head.", address=self.locations.device_url
            )
        return self.head_of(view.ptz_profile_token, view.head)

    def head_of(self, profile_token: str, abilities: HeadAbilities) -> OnvifHead:
        """Return a head by its profile, with abilities as yet believed."""
        return OnvifHead(
            self.caller, self.url(Service.PTZ), profile_token=profile_token, abilities=abilities, clock=self._clock
        )

    # --- media

    @property
    def media(self) -> Media:
        """Return Media 2, or Media 1 where it lacks that."""
        two = Service.MEDIA2 in self.services and "no-media2" not in self.quirks
        service = Service.MEDIA2 if two else Service.MEDIA
        self.url(service)
        return Media(self.caller, self.services, self.locations, service)

    async def set_synchronization_point(self, profile_token: str) -> None:
        """Ask for a keyframe of a stream now; where Media 2 does not know how, Media 1 is asked."""
        try:
            await self.media.synchronize(profile_token)
        except CameraFaultError:
            if not {Service.MEDIA, Service.MEDIA2} <= self.services.keys():
                raise
            await Media(self.caller, self.services, self.locations, Service.MEDIA).synchronize(profile_token)

    async def snapshot(self, view: CameraView) -> bytes:
        """Return a JPEG of this moment."""
        if view.snapshot_url is None:
            raise CameraFaultError(
                "This camera gives no snapshots.", cure="Use its stream.", address=self.locations.device_url
            )
        return await self.picture(view.snapshot_url)

    async def picture(self, url: str) -> bytes:
        """Return the JPEG at a snapshot address."""
        answer = await self.caller.fetch(url, max_bytes=self.caller.session.limits.snapshot_bytes)
        if not answer.body.startswith(JPEG):
            raise CameraAnswerError(
                "The camera's snapshot is not a JPEG.", cure="Check its snapshot settings.", address=url
            )
        return answer.body

    # --- events

    @property
    def event_service(self) -> Events:
        """Return the event service."""
        return Events(self.caller, self.url(Service.EVENTS), self.locations, clock=self._clock)

    @property
    def event_brokers(self) -> EventBrokers:
        """Return the MQTT brokers that it publishes its events at."""
        return EventBrokers(self.caller, self.url(Service.EVENTS))

    async def events(self) -> AsyncGenerator[CameraEvent, None]:
        """Yield events for ever, subscribing anew when needed; close it (``contextlib.aclosing``) to unsubscribe.

        Raises:
            CameraAuthenticationError: asking again would lock the account.
        """
        async with aclosing(self.event_service.listen()) as heard:
            async for event in heard:
                yield await interpret(event)

    # --- outputs, lens, housekeeping

    async def relays(self) -> tuple[str, ...]:
        """Return the tokens of its relay outputs (DeviceIO section 5.6, Core section 8.7.1)."""
        service = self._relay_service()
        answer = await self.caller.call(self.url(service), service, "GetRelayOutputs")
        return tuple(node.get("token") for node in answer.all("RelayOutputs") if node.get("token"))

    async def relay(self, token: str, on: bool) -> None:  # noqa: FBT001 - a relay is on or off
        """Switch a relay output."""
        service = self._relay_service()
        state = "active" if on else "inactive"
        await self.caller.call(
            self.url(service), service, "SetRelayOutputState", {"RelayOutputToken": token, "LogicalState": state}
        )

    def _relay_service(self) -> Service:
        return Service.DEVICE_IO if Service.DEVICE_IO in self.services else Service.DEVICE

    async def reboot(self) -> None:
        """SystemReboot (Core section 8.3.3)."""
        await self.caller.call(self.locations.device_url, Service.DEVICE, "SystemReboot")

    async def focus(self, view: CameraView, speed: float) -> None:
        """Turn the focus, -1 near .. +1 far, 0 stops it (Imaging 5.3, 5.4). Cameras turn autofocus off for it."""
        url, token = self.url(Service.IMAGING), view.video_source_token
        if speed == 0.0:
            await self.caller.call(url, Service.IMAGING, "Stop", {"VideoSourceToken": token})
            return
        await self.caller.call(
            url, Service.IMAGING, "Move", {"VideoSourceToken": token, "Focus": {"Continuous": {"Speed": speed}}}
        )

    async def autofocus(self, view: CameraView, on: bool) -> None:  # noqa: FBT001 - it is on or off
        """Give the focus back to the camera, or keep it."""
        await self._set_imaging(view, {"Focus": {"AutoFocusMode": "AUTO" if on else "MANUAL"}})

    async def _set_imaging(self, view: CameraView, settings: dict[str, Any]) -> None:
        await self.caller.call(
            self.url(Service.IMAGING),
            Service.IMAGING,
            "SetImagingSettings",
            {"VideoSourceToken": view.video_source_token, "ImagingSettings": settings, "ForcePersistence": False},
        )


@asynccontextmanager
async def reach_device(
    target: CameraTarget,
    *,
    clock: Clock,
    policy: AddressPolicy,
    limits: Limits = DEFAULT_LIMITS,
    urn: str = "",
) -> AsyncIterator[tuple[Device, ClockReading]]:
    """Open the session and say the first words: find the device service, measure the clock.

    Raises:
        StrangerError: its URN should be ``urn`` and is another one; it was shown no proof of ours.
    """
    async with open_session(target, clock=clock, policy=policy, limits=limits) as session:
        caller = Caller(session, await catalogue(), target.credentials, quirks=Quirks(), clock=clock)
        yield await _first_words(caller, target, urn, clock=clock)


async def _first_words(caller: Caller, target: CameraTarget, urn: str, *, clock: Clock) -> tuple[Device, ClockReading]:
    urls = candidates(target)
    for number, url in enumerate(urls):
        locations = Locations(device_url=url, port_map=target.port_map, quirks=caller.quirks)
        last = number == len(urls) - 1
        caller.home = url
        try:
            if urn:
                await check_stranger(caller, url, urn)
            reading = await measure_clock(caller, url, clock=clock)
        except CameraUnreachableError as error:
            # A closed port invites the next usual one; a silent host does not answer on others either.
            if last or error.facts.get("cause") not in {"refused", "tls"}:
                raise _first(error, urls) from error
        except (CameraNotOnvifError, CameraAnswerError):
            if last:
                raise
        else:
            return Device(caller, locations, {Service.DEVICE: url}, clock=clock), reading
    raise AssertionError  # pragma: no cover - candidates are never none


def _first(error: CameraUnreachableError, urls: tuple[str, ...]) -> CameraUnreachableError:
    if len(urls) == 1:
        return error
    return CameraUnreachableError(
        "Nothing answers at the camera's address, on any of the usual ports.",
        cure="Check the address, its power and the network, or give the port as host:port.",
        address=urls[0],
        cause=error.facts.get("cause"),
    )


@asynccontextmanager
async def open_device(
    target: CameraTarget,
    description: CameraDescription | None = None,
    *,
    clock: Clock,
    policy: AddressPolicy,
    limits: Limits = DEFAULT_LIMITS,
) -> AsyncIterator[Device]:
    """Open a device; what enrolment found (``description``) spares finding its services and quirks again.

    Raises:
        CameraError: it cannot be reached, or not with these credentials.
    """
    if description is None:
        async with reach_device(target, clock=clock, policy=policy, limits=limits) as (device, _):
            device.services, _claims = await find_services(device.caller, device.locations)
            yield device
        return
    quirks = Quirks(description.quirks)
    async with open_session(target, clock=clock, policy=policy, limits=limits) as session:
        caller = Caller(session, await catalogue(), target.credentials, quirks=quirks, clock=clock)
        caller.offset.seconds, caller.offset.known = description.clock_offset_s, True
        caller.home = description.device_url
        locations = Locations(device_url=description.device_url, port_map=target.port_map, quirks=quirks)
        services = {
            service: description.services[service.value] for service in Service if service.value in description.services
        }
        yield Device(caller, locations, services, clock=clock)
