"""Which host takes a camera. Cameras stay where they are: only new ones are placed, and those whose host is no more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drivers.model import StreamProfile
from gateway.fleet.cameras import Camera
from gateway.fleet.load import HostLoad
from kernel.ids import CameraId

BITS_PER_PIXEL = 0.08
"""What surveillance encoders are set to, about: the guess for a camera that does not tell its bit rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burden:
    """What one host carries: ``cameras`` that are its own now, and what it told last (older by a second or so)."""

    up: bool
    cameras: int
    load: HostLoad | None = None


def lightest(hosts: Sequence[Burden]) -> int:
    """Return the host for one more camera: the least sum of its shares in all hosts' CPU, Mbit/s and cameras.

    A host that has not told its load, or was given cameras since, is taken to carry the others' mean for each of them.
    Hosts that do not answer get none while others do.
    """
    cpu = _carried(hosts, [host.load.cpu_percent if host.load else None for host in hosts])
    mbit = _carried(hosts, [host.load.mbit_s if host.load else None for host in hosts])
    count = [float(host.cameras) for host in hosts]

    def weight(index: int) -> tuple[bool, float, int, int]:
        shares = sum(of[index] / total for of in (cpu, mbit, count) if (total := sum(of)) > 0)
        return not hosts[index].up, shares, hosts[index].cameras, index

    return min(range(len(hosts)), key=weight)


def _carried(hosts: Sequence[Burden], told: Sequence[float | None]) -> list[float]:
    """Return what each host carries of one kind, cameras that it did not know yet when it told included."""
    known = [(one, host.load.cameras) for one, host in zip(told, hosts, strict=True) if host.load and one is not None]
    cameras = sum(number for _, number in known)
    each = sum(one for one, _ in known) / cameras if cameras else 0.0
    return [
        each * host.cameras
        if one is None or host.load is None
        else one + each * max(0, host.cameras - host.load.cameras)
        for one, host in zip(told, hosts, strict=True)
    ]


def moves(cameras: Sequence[Camera], hosts: int) -> dict[CameraId, int]:
    """Return the cameras that change their host with the number of hosts, and where they go.

    Those of a host that is no more go where least is carried. A host that has none while others have several takes its
    share of theirs. The views of one device stay together. What a camera carries is its bit rate, told or guessed: at
    a start no host has told its load yet.
    """
    devices: dict[str, list[Camera]] = {}
    for camera in cameras:
        devices.setdefault(camera.device_id, []).append(camera)
    weights = {device: sum(_mbit_s(view) for view in views) for device, views in devices.items()}
    at = {device: views[0].host for device, views in devices.items()}
    carried = [0.0] * hosts
    homeless = []
    for device, host in at.items():
        if host < hosts:
            carried[host] += weights[device]
        else:
            homeless.append(device)
    for device in sorted(homeless, key=lambda one: (-weights[one], one)):
        at[device] = min(range(hosts), key=lambda host: (carried[host], host))
        carried[at[device]] += weights[device]
    for host in sorted(set(range(hosts)) - set(at.values())):
        _fill(host, at, carried, weights)
    return {view.id: at[device] for device, views in devices.items() for view in views if view.host != at[device]}


def _fill(host: int, at: dict[str, int], carried: list[float], weights: Mapping[str, float]) -> None:
    """Give a host that has none its share, one by one from whoever carries most."""
    while True:
        donor = max(range(len(carried)), key=lambda one: (carried[one], -one))
        theirs = sorted((device for device, of in at.items() if of == donor), key=lambda one: (weights[one], one))
        if donor == host or not theirs or carried[host] + weights[theirs[0]] > carried[donor] - weights[theirs[0]]:
            return
        at[theirs[0]] = host
        carried[donor] -= weights[theirs[0]]
        carried[host] += weights[theirs[0]]


def _mbit_s(camera: Camera) -> float:
    return sum(_rate(profile) for profile in (camera.view.main, camera.view.sub) if profile is not None)


def _rate(profile: StreamProfile) -> float:
    if profile.bitrate_kbit:
        return profile.bitrate_kbit / 1000
    return max(profile.width * profile.height * profile.frame_rate * BITS_PER_PIXEL / 1e6, 0.1)
