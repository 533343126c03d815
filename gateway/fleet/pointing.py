"""A device that is reached at another address: what is known of it, said for there. Who it is stays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, urlsplit, urlunsplit

from config.telemetry import ReachRule
from drivers.model import CameraDescription, CameraTarget, DeviceIdentity, StreamProfile
from gateway.fleet.errors import AnotherDeviceError
from gateway.fleet.hosts import HostClient

Whither = Callable[[CameraTarget, CameraDescription], tuple[CameraTarget, CameraDescription] | None]
"""Of how a device is reached now, with its description: how it is reached from now on; ``None`` where that stays."""
DEFAULT_PORTS = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a device is reached. ``port_map``: port that it names itself -> port that reaches it.

    ``rtsp_port`` is ``None`` where nobody has said it: the device is asked.
    """

    host: str
    http_port: int
    rtsp_port: int | None
    port_map: Mapping[int, int] = field(default_factory=dict)


def pointed(target: CameraTarget, description: CameraDescription, spot: Spot) -> tuple[CameraTarget, CameraDescription]:
    """Return how to reach a device at a spot, and its description with every address of its made one there.

    What was served on the port of its device service, or of its main stream, is served on the spot's own; what was on
    another port is on that one still, or where ``port_map`` says; and so are streams where nobody has said their port.
    """
    served = {_port(description.device_url): spot.http_port}
    for view in description.views:
        for profile in (view.main, view.sub):
            if profile is not None and spot.rtsp_port is not None:
                served.setdefault(_port(profile.rtsp_url), spot.rtsp_port)

    def there(url: str) -> str:
        parts = urlsplit(url)
        port = _port(url)
        return _at(parts, spot.host, served.get(port, spot.port_map.get(port, port)))

    def profile_there(profile: StreamProfile) -> StreamProfile:
        return profile.model_copy(update={"rtsp_url": there(profile.rtsp_url)})

    views = tuple(
        view.model_copy(
            update={
                "main": profile_there(view.main),
                "sub": profile_there(view.sub) if view.sub is not None else None,
                "snapshot_url": there(view.snapshot_url) if view.snapshot_url is not None else None,
            }
        )
        for view in description.views
    )
    device_url = there(description.device_url)
    moved = description.model_copy(
        update={
            "device_url": device_url,
            "services": {name: there(url) for name, url in description.services.items()},
            "views": views,
        }
    )
    # Where it is is its own word from now on, unless it is where people said.
    roams = target.roams or device_url != description.device_url
    update = {"address": device_url, "port_map": dict(spot.port_map), "roams": roams, "deserted": False}
    return target.model_copy(update=update), moved


def deserted(target: CameraTarget, description: CameraDescription) -> tuple[CameraTarget, CameraDescription] | None:
    """Return a device as one that nobody vouches for; ``None`` where it is so, or where people said that it is."""
    if target.deserted or not target.roams:
        return None
    return target.model_copy(update={"deserted": True}), description


async def met(host: HostClient, target: CameraTarget, description: CameraDescription, spot: Spot) -> Spot:
    """Return a spot whole, once who is known was met there.

    Raises:
        AnotherDeviceError: somebody else answers there.
        HostError: nobody does, or the host does not.
    """
    there, _ = pointed(target, description, spot)
    check_same(description.identity, await host.identify(there, description.identity.urn))
    return spot if spot.rtsp_port is not None else streams_at(description, await host.stream_urls(there), spot)


def through(target: CameraTarget, label: str, rules: Sequence[ReachRule]) -> CameraTarget:
    """Return how a unit's camera is reached that is given as the unit says it, or as it is met from outside already.

    Behind forwarded ports a camera names its own ports in everything that it tells: they are mapped from the start.
    """
    given = target.address
    parts = urlsplit(given if "://" in given else f"http://{given}")
    host, port = parts.hostname or "", _port(urlunsplit(parts))
    for rule in rules:
        if rule.is_for(label, host):
            there = _at(parts, rule.host_for(host), rule.ports.get(port, port))
        elif label in rule.units and rule.via == host:
            there = _at(parts, host, port)
        else:
            continue
        address = there if "://" in given else urlsplit(there).netloc
        return target.model_copy(update={"address": address, "port_map": dict(rule.ports)})
    return target


def streams_at(description: CameraDescription, urls: Mapping[str, str], spot: Spot) -> Spot:
    """Return a spot with the port at which the device's streams are, as it has said itself.

    Raises:
        AnotherDeviceError: it has no stream of those that are known.
    """
    tokens = [view.main.token for view in description.views]
    found = next((urls[token] for token in tokens if token in urls), None)
    if found is None:
        raise AnotherDeviceError(
            "There it offers other streams than those that are known.", cure="Enrol the camera again, where it is now."
        )
    return replace(spot, rtsp_port=_port(found))


def check_same(known: DeviceIdentity, met: DeviceIdentity) -> None:
    """See to it that who answers there is who is known.

    Raises:
        AnotherDeviceError: it is another device.
    """
    if (met.urn, met.serial) != (known.urn, known.serial):
        raise AnotherDeviceError(
            f"There answers {met.urn} {met.serial}, where {known.urn} {known.serial} should be.",
            cure="Look at the rules by which its address is reached (telemetry.reach), and at forwarded ports.",
        )


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or DEFAULT_PORTS.get(parts.scheme, 0)


def _at(parts: SplitResult, host: str, port: int) -> str:
    bare = f"[{host}]" if ":" in host else host
    at = bare if DEFAULT_PORTS.get(parts.scheme) == port else f"{bare}:{port}"
    return urlunsplit(parts._replace(netloc=at))
