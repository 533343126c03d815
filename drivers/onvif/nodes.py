"""What a head claims to be able to do (PTZ section 5.1.2): the start of what is then found out by trial."""

import re
from dataclasses import dataclass

from drivers.errors import CameraAnswerError, CameraFaultError
from drivers.onvif.catalogue import Service
from drivers.onvif.reading import Node
from drivers.onvif.soap import Caller
from kernel.head import Axis, HeadAbilities

SPACES = "http://www.onvif.org/ver10/tptz/PanTiltSpaces"
FOV_TRANSLATION = f"{SPACES}/TranslationSpaceFov"
DEGREES = f"{SPACES}/SphericalPositionSpaceDegrees"
_FOV_VELOCITY = re.compile(r"Velocity\w*FOV", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Claim:
    """A node as it describes itself; ``fov_offered`` and ``abilities`` are yet to be tried."""

    token: str
    abilities: HeadAbilities
    fov_offered: bool


async def read_node(caller: Caller, url: str, token: str | None) -> Claim | None:
    """Return what the node claims, None where there is none."""
    node: Node | None = None
    try:
        if token:
            node = (await caller.call(url, Service.PTZ, "GetNode", {"NodeToken": token})).one("PTZNode")
    except (CameraFaultError, CameraAnswerError):
        node = None
    if node is None:
        try:
            listed = (await caller.call(url, Service.PTZ, "GetNodes")).all("PTZNode")
        except (CameraFaultError, CameraAnswerError):
            return None
        node = next((one for one in listed if one.get("token") == token), listed[0] if listed else None)
    return None if node is None else _claim(node)


def _claim(node: Node) -> Claim:
    spaces = node.one("SupportedPTZSpaces") or node
    offered = {
        name: spaces.all(name)
        for name in (
            "AbsolutePanTiltPositionSpace",
            "AbsoluteZoomPositionSpace",
            "RelativePanTiltTranslationSpace",
            "RelativeZoomTranslationSpace",
            "ContinuousPanTiltVelocitySpace",
            "ContinuousZoomVelocitySpace",
        )
    }
    axes: set[Axis] = set()
    if any(offered[name] for name in offered if "PanTilt" in name):
        axes |= {Axis.PAN, Axis.TILT}
    if any(offered[name] for name in offered if "Zoom" in name):
        axes.add(Axis.ZOOM)
    degrees = next((one for one in offered["AbsolutePanTiltPositionSpace"] if one.text("URI") == DEGREES), None)
    uris = {one.text("URI") for one in offered["RelativePanTiltTranslationSpace"]}
    velocities = {one.text("URI") for one in offered["ContinuousPanTiltVelocitySpace"]}
    abilities = HeadAbilities(
        axes=frozenset(axes),
        continuous=bool(offered["ContinuousPanTiltVelocitySpace"] or offered["ContinuousZoomVelocitySpace"]),
        absolute=bool(offered["AbsolutePanTiltPositionSpace"]),
        relative=bool(uris - {FOV_TRANSLATION}),
        fov_velocity=any(_FOV_VELOCITY.search(uri) for uri in velocities),
        presets_max=int(node.number("MaximumNumberOfPresets") or 0),
        home=node.flag("HomeSupported") is True,
        auxiliary=tuple(text for one in node.all("AuxiliaryCommands") for text in one.text().split()),
        pan_deg=_range(degrees, "XRange"),
        tilt_deg=_range(degrees, "YRange"),
    )
    return Claim(node.get("token"), abilities, FOV_TRANSLATION in uris)


def _range(space: Node | None, name: str) -> tuple[float, float] | None:
    if space is None:
        return None
    low, high = space.number(f"{name}/Min"), space.number(f"{name}/Max")
    return (low, high) if low is not None and high is not None and low < high else None
