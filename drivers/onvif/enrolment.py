"""Getting to know a device (docs/design/onvif.md, *Bootstrap*): who it is, its views, its streams, its heads by trial.

Nothing is stored here, and nothing is left at the camera: an error leaves no half-enrolled camera behind.
"""

from dataclasses import dataclass

import structlog

from drivers.addresses import AddressPolicy
from drivers.errors import (
    CameraAnswerError,
    CameraAuthenticationError,
    CameraBusyError,
    CameraClockError,
    CameraError,
    CameraFaultError,
    CameraNoMediaError,
)
from drivers.model import CameraDescription, CameraTarget, CameraView, DeviceIdentity
from drivers.onvif.bootstrap import ClockReading, StrangerError, find_services, identify
from drivers.onvif.catalogue import Service
from drivers.onvif.device import Device, reach_device
from drivers.onvif.events import Events
from drivers.onvif.head import OnvifHead
from drivers.onvif.media import Media, Offer, find_views
from drivers.onvif.nodes import read_node
from drivers.onvif.reading import Node
from drivers.onvif.session import DEFAULT_LIMITS, Limits
from drivers.onvif.trial import HeadTrial
from kernel.clock import Clock
from kernel.head import HeadAbilities

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolLimits:
    """What enrolment may take and do."""

    max_clock_offset_s: float = 300.0
    """A clock further off than this is no evidence, even corrected: it was never set."""
    try_head: bool = True
    """Move the head a little to find out what it does; False believes its claims."""
    http: Limits = DEFAULT_LIMITS


DEFAULT_ENROL_LIMITS = EnrolLimits()


@dataclass(frozen=True, slots=True)
class EnrolmentResult:
    """What was found, and a JPEG of the first view where it gives one."""

    description: CameraDescription
    snapshot: bytes | None


async def enrol(
    target: CameraTarget,
    *,
    clock: Clock,
    policy: AddressPolicy,
    limits: EnrolLimits = DEFAULT_ENROL_LIMITS,
) -> EnrolmentResult:
    """Find out everything about a device.

    Raises:
        CameraUnreachableError, CameraRefusedAddressError, CameraAuthenticationError, CameraNotOnvifError,
        CameraNoMediaError, CameraClockError, CameraBusyError, CameraAnswerError, CameraFaultError: see drivers.errors.
    """
    async with reach_device(target, clock=clock, policy=policy, limits=limits.http) as (device, reading):
        device.services, claims = await find_services(device.caller, device.locations)
        identity = await identify(device.caller, device.locations.device_url)
        _judge_clock(reading, limits, device.locations.device_url)
        media, offers = await find_views(device.caller, device.services, device.locations)
        events = await _try_events(device, claims, clock=clock)
        views = []
        for offer in offers:
            view = await _view(device, media, offer)
            views.append(await _with_head(device, view, offer, limits, clock=clock))
        relays = await _relays(device)
        if not device.caller.services.proved:
            device.quirks.note("It asks for no password: whoever reaches it can use it.")
        snapshot = await _snapshot(device, views[0].snapshot_url)
        description = CameraDescription(
            identity=identity,
            device_url=device.locations.device_url,
            services={service.value: url for service, url in device.services.items()},
            authentication=device.caller.services.scheme or "none",
            clock_offset_s=round(reading.offset_s, 3),
            clock_uncertainty_s=round(reading.uncertainty_s, 3),
            views=tuple(views),
            events=events,
            relays=relays,
            quirks=tuple(device.quirks),
            remarks=device.quirks.remarks,
        )
    log.info("camera.enrolled", address=description.device_url, views=len(views), quirks=list(description.quirks))
    return EnrolmentResult(description, snapshot)


async def meet(target: CameraTarget, *, urn: str = "", clock: Clock, policy: AddressPolicy) -> DeviceIdentity:
    """Ask a device who it is, and nothing more: a second or so, where enrolment takes several and turns its head.

    One that says, before it is shown any proof of ours, that it is another one than ``urn`` is asked nothing else: its
    identity is that URN alone.

    Raises:
        CameraUnreachableError, CameraRefusedAddressError, CameraAuthenticationError, CameraNotOnvifError,
        CameraBusyError, CameraAnswerError, CameraFaultError: see drivers.errors.
    """
    try:
        async with reach_device(target, clock=clock, policy=policy, urn=urn) as (device, _):
            return await identify(device.caller, device.locations.device_url)
    except StrangerError as stranger:
        return DeviceIdentity(urn=stranger.urn, manufacturer="", model="", firmware="", serial="")


async def stream_urls(target: CameraTarget, *, clock: Clock, policy: AddressPolicy) -> dict[str, str]:
    """Ask a device where its main streams are, as we reach them, by the tokens of their profiles.

    Raises:
        CameraNoMediaError: it gives none; and those that :func:`meet` raises.
    """
    async with reach_device(target, clock=clock, policy=policy) as (device, _):
        device.services, _claims = await find_services(device.caller, device.locations)
        media, offers = await find_views(device.caller, device.services, device.locations)
        return {one.main.token: (await media.stream(one.main)).rtsp_url for one in offers}


def _judge_clock(reading: ClockReading, limits: EnrolLimits, url: str) -> None:
    if abs(reading.offset_s) > limits.max_clock_offset_s:
        ahead = "ahead" if reading.offset_s > 0 else "behind"
        raise CameraClockError(
            f"The camera's clock is {abs(reading.offset_s):.0f} s {ahead} of ours.",
            cure="Set its clock, best by NTP, and enrol it again.",
            address=url,
            offset_s=reading.offset_s,
        )


async def _view(device: Device, media: Media, offer: Offer) -> CameraView:
    try:
        main = await media.stream(offer.main)
        sub = await media.stream(offer.sub) if offer.sub is not None else None
    except (CameraFaultError, CameraAnswerError) as error:
        raise CameraNoMediaError(
            f"The camera lists video and gives no address of its stream: {error.message}",
            cure="Check its RTSP settings and its firmware.",
            address=device.locations.device_url,
        ) from error
    return CameraView(
        source_token=offer.source,
        video_source_token=offer.source,
        main=main,
        sub=sub,
        snapshot_url=await media.snapshot_url(offer.main.token),
    )


async def _with_head(
    device: Device, view: CameraView, offer: Offer, limits: EnrolLimits, *, clock: Clock
) -> CameraView:
    """Return the view with the head found at it, tried."""
    profile = offer.ptz
    if profile is None or Service.PTZ not in device.services:
        return view
    claim = await read_node(device.caller, device.url(Service.PTZ), profile.ptz_node)
    if claim is None or not claim.abilities.axes:
        device.quirks.note("Its profile names a head, and none is there.")
        return view

    def make(abilities: HeadAbilities) -> OnvifHead:
        return device.head_of(profile.token, abilities)

    async def look() -> bytes | None:
        # A camera that has not been looked at for long may take its time for the first picture.
        url = view.snapshot_url
        return await _snapshot(device, url, remark=False) or await _snapshot(device, url, remark=False)

    abilities = claim.abilities
    if limits.try_head:
        try:
            abilities = await HeadTrial(make=make, claim=claim, quirks=device.quirks, clock=clock, snapshot=look).run()
        except CameraFaultError as error:
            device.quirks.note(f"The trial of its head broke off: {error.message}")
    return view.model_copy(
        update={"head": abilities, "ptz_profile_token": profile.token, "ptz_node_token": claim.token}
    )


async def _try_events(device: Device, claims: Node | None, *, clock: Clock) -> bool:
    """Try PullPoint whatever the flags say, and even where no event service is listed."""
    url = device.services.get(Service.EVENTS, device.locations.device_url)
    claimed = None
    if claims is not None:
        told = claims.get("WSPullPointSupport") or claims.text("WSPullPointSupport")
        claimed = {"true": True, "1": True, "false": False, "0": False}.get(told.lower())
    try:
        works = await Events(device.caller, url, device.locations, clock=clock).try_out(claimed)
    except CameraAnswerError as error:
        device.quirks.note(f"Its event service cannot be understood: {error.message}")
        return False
    if works:
        device.services[Service.EVENTS] = url
    return works


async def _relays(device: Device) -> tuple[str, ...]:
    try:
        return await device.relays()
    except (CameraFaultError, CameraAnswerError):
        return ()


async def _snapshot(device: Device, url: str | None, *, remark: bool = True) -> bytes | None:
    """Return a picture, None where none comes: that spoils no enrolment."""
    if url is None:
        return None
    try:
        return await device.picture(url)
    except CameraAuthenticationError as error:
        if remark and error.facts.get("cause") != "basic":
            device.quirks.note("It refuses its snapshot to this account.")
    except CameraBusyError:
        raise
    except CameraError as error:
        # Some makes put user and password into the query.
        log.info("camera.no_snapshot", address=url.partition("?")[0], error=error.code)
        if remark:
            device.quirks.note(f"Its snapshot cannot be had: {error.message}")
    return None
