"""One head, as ``ptz.ports.Head`` wants it, with the quirks of its make."""

import re
from typing import Any

from drivers.errors import CameraAnswerError, CameraFaultError
from drivers.onvif.catalogue import Service
from drivers.onvif.moments import write_duration
from drivers.onvif.nodes import DEGREES, FOV_TRANSLATION
from drivers.onvif.reading import Node
from drivers.onvif.soap import Caller
from kernel.clock import Clock
from kernel.head import Axis, HeadAbilities, HeadStatus, Position, Preset, Velocity

MANY_PRESETS = 16
"""Preset lists with more factory-named slots than this are placeholders; nobody stored them."""
_FACTORY_NAME = re.compile(r"(?:preset|preset point|position|预置点|预置位)?[\s_#-]*0*(\d{1,3})", re.IGNORECASE)
_SPECIAL_NAME = re.compile(
    r"re-?boot|restart|factory|auto[- ]?flip|back to origin|call patrol|day mode|night mode|call osd|osd menu"
    r"|manual limits|stop a scan|(random|frame|auto|panorama|tilt|vertical) scan|enable wiper|one-touch|patrol \d",
    re.IGNORECASE,
)
"""What Hikvision's slots 33 to 105 do instead of moving."""

Group = tuple[Axis, ...]
PAN_TILT: Group = (Axis.PAN, Axis.TILT)
ZOOM: Group = (Axis.ZOOM,)


class OnvifHead:
    """Satisfies ``ptz.ports.Head``. One request a method, two where the head takes its axes only apart."""

    def __init__(self, caller: Caller, url: str, *, profile_token: str, abilities: HeadAbilities, clock: Clock) -> None:
        self._caller = caller
        self._url = url
        self._token = profile_token
        self._abilities = abilities
        self._clock = clock
        self._in_force: dict[Group, tuple[float, ...]] = {}
        """What each group of axes was last told, where they are told apart."""
        self._recallable: set[str] | None = None

    @property
    def abilities(self) -> HeadAbilities:
        """What enrolment found."""
        return self._abilities

    async def move(self, velocity: Velocity, *, timeout_s: float) -> None:
        """ContinuousMove (PTZ section 5.3.3). An axis left out would keep moving: all that the head has are sent."""
        quirks = self._caller.quirks
        timeout = None if "timeout-refused" in quirks or "timeout-zero" in quirks else write_duration(timeout_s)
        for group, told in self._parts(velocity.pan, velocity.tilt, velocity.zoom, moves=True):
            await self._call("ContinuousMove", {"Velocity": told, "Timeout": timeout})
            self._in_force[group] = _values(group, velocity)

    async def stop(self) -> None:
        """Stop (PTZ section 5.3.5)."""
        await self._call("Stop", {"PanTilt": True, "Zoom": Axis.ZOOM in self._abilities.axes})
        self._in_force.clear()

    async def status(self) -> HeadStatus:
        """GetStatus (PTZ section 5.3.6)."""
        asked_ns = self._clock.wall_ns()
        answer = await self._call("GetStatus", {})
        status = answer.one("PTZStatus")
        if status is None:
            return HeadStatus(None, None, asked_ns)
        states = {status.text(f"MoveStatus/{part}").upper() for part in ("PanTilt", "Zoom")} - {""}
        if states - {"IDLE", "MOVING", "UNKNOWN"}:
            self._caller.quirks.learn("unusable-values", "First seen in its MoveStatus.")
        moving = True if "MOVING" in states else False if states == {"IDLE"} else None
        if "stuck-moving" in self._caller.quirks:
            moving = None
        return HeadStatus(self._position(status.one("Position")), moving, asked_ns)

    async def move_to(self, position: Position, *, speed: float | None = None) -> None:
        """AbsoluteMove (PTZ section 5.3.1)."""
        for group, told in self._parts(position.pan, position.tilt, position.zoom):
            fields: dict[str, Any] = {"Position": told}
            if speed is not None:
                fields["Speed"] = _vector(group, speed, speed, speed)
            await self._call("AbsoluteMove", fields)
        self._in_force.clear()

    async def move_by(self, translation: Position) -> None:
        """RelativeMove in the generic translation space (PTZ section 5.3.2)."""
        for _, told in self._parts(translation.pan, translation.tilt, translation.zoom):
            await self._call("RelativeMove", {"Translation": told})
        self._in_force.clear()

    async def move_in_view(self, right: float, up: float) -> None:
        """RelativeMove in the FOV space (PTZ section 5.7.2.2)."""
        told = {"PanTilt": {"x": right, "y": up, "space": FOV_TRANSLATION}}
        await self._call("RelativeMove", {"Translation": told})
        self._in_force.clear()

    async def presets(self) -> list[Preset]:
        """GetPresets (PTZ section 5.4.2), without the slots nobody stored and those that do other things."""
        listed = [
            Preset(node.get("token"), node.text("Name") or node.get("token"), self._position(node.one("PTZPosition")))
            for node in (await self._call("GetPresets", {})).all("Preset")
        ]
        kept = real_presets(listed)
        if len(kept) < len(listed):
            self._caller.quirks.learn("placeholder-presets")
        self._recallable = {preset.token for preset in kept}
        return kept

    async def recall(self, token: str) -> None:
        """GotoPreset (PTZ section 5.4.4), never of a hidden slot: one of them may reboot the camera."""
        if self._recallable is None or token not in self._recallable:
            await self.presets()
        if token not in (self._recallable or set()):
            raise CameraFaultError(
                f"The camera has no preset {token!r}.", cure="Pick one of its presets.", address=self._url
            )
        await self._call("GotoPreset", {"PresetToken": token})
        self._in_force.clear()

    async def store(self, name: str, token: str | None = None) -> Preset:
        """SetPreset (PTZ section 5.4.1). Some heads refuse while they move."""
        answer = await self._call("SetPreset", {"PresetName": name, "PresetToken": token})
        given = answer.text("PresetToken") or token
        if not given:
            raise CameraAnswerError(
                "The camera does not say where it stored the preset.", cure="Look at its presets.", address=self._url
            )
        if self._recallable is not None:
            self._recallable.add(given)
        return Preset(given, name)

    async def remove(self, token: str) -> None:
        """RemovePreset (PTZ section 5.4.3)."""
        await self._call("RemovePreset", {"PresetToken": token})
        if self._recallable is not None:
            self._recallable.discard(token)

    async def go_home(self) -> None:
        """GotoHomePosition (PTZ section 5.5.1)."""
        await self._call("GotoHomePosition", {})
        self._in_force.clear()

    async def set_home(self) -> None:
        """SetHomePosition (PTZ section 5.5.2)."""
        await self._call("SetHomePosition", {})

    async def auxiliary(self, command: str) -> None:
        """SendAuxiliaryCommand (PTZ section 5.6.1); only what the head advertises."""
        if command not in self._abilities.auxiliary:
            raise CameraFaultError(
                f"The camera has no auxiliary command {command!r}.",
                cure=f"It has: {', '.join(self._abilities.auxiliary) or 'none'}.",
                address=self._url,
            )
        await self._call("SendAuxiliaryCommand", {"AuxiliaryData": command})

    # --- inside

    async def _call(self, operation: str, fields: dict[str, Any]) -> Node:
        sent = {key: value for key, value in fields.items() if value is not None}
        return await self._caller.call(self._url, Service.PTZ, operation, {"ProfileToken": self._token, **sent})

    def _parts(
        self, pan: float, tilt: float, zoom: float, *, moves: bool = False
    ) -> list[tuple[Group, dict[str, Any]]]:
        """Return what to send: one vector with all axes, or one for each group where the head wants them apart."""
        axes = self._abilities.axes
        groups: list[Group] = [group for group in (PAN_TILT, ZOOM) if axes.intersection(group)]
        if len(groups) == 2 and "split-axes" not in self._caller.quirks:
            return [((*PAN_TILT, *ZOOM), _vector((*PAN_TILT, *ZOOM), pan, tilt, zoom))]
        wanted = Velocity(pan, tilt, zoom)
        if moves and len(groups) == 2:
            # A group that stands and shall stand needs no request of its own; one at least is sent.
            busy = [group for group in groups if any(_values(group, wanted)) or any(self._in_force.get(group, (1.0,)))]
            groups = busy or groups[:1]
        return [(group, _vector(group, pan, tilt, zoom)) for group in groups]

    def _position(self, node: Node | None) -> Position | None:
        if node is None:
            return None
        pan_tilt, zoom = node.one("PanTilt"), node.one("Zoom")
        pan = pan_tilt.number(attribute="x") if pan_tilt is not None else None
        tilt = pan_tilt.number(attribute="y") if pan_tilt is not None else None
        depth = zoom.number(attribute="x") if zoom is not None else None
        if pan is None and tilt is None and depth is None:
            return None
        pan, tilt = pan or 0.0, tilt or 0.0
        spans = self._abilities.pan_deg, self._abilities.tilt_deg
        if pan_tilt is not None and pan_tilt.get("space") == DEGREES and spans[0] and spans[1]:
            pan, tilt = _generic(pan, spans[0]), _generic(tilt, spans[1])
        return Position(pan, tilt, depth or 0.0)


def real_presets(listed: list[Preset]) -> list[Preset]:
    """Return those that somebody stored.

    A slot named for a function is none, wherever it stands. Where the camera tells positions, a slot without one is
    empty; where it tells none, factory names in great number are.
    """
    plain = [preset for preset in listed if not (_SPECIAL_NAME.search(preset.name) and preset.position is None)]
    if any(preset.position is not None for preset in plain):
        return [preset for preset in plain if preset.position is not None or not _factory(preset)]
    if sum(_factory(preset) for preset in plain) > MANY_PRESETS:
        return [preset for preset in plain if not _factory(preset)]
    return plain


def _factory(preset: Preset) -> bool:
    found = _FACTORY_NAME.fullmatch(preset.name.strip())
    return found is not None and found.group(1) == preset.token.rpartition("_")[2].lstrip("0")


def _values(group: Group, velocity: Velocity) -> tuple[float, ...]:
    return tuple(getattr(velocity, axis.value) for axis in group)


def _vector(group: Group, pan: float, tilt: float, zoom: float) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if Axis.PAN in group:
        told["PanTilt"] = {"x": round(pan, 5), "y": round(tilt, 5)}
    if Axis.ZOOM in group:
        told["Zoom"] = {"x": round(zoom, 5)}
    return told


def _generic(degrees: float, span: tuple[float, float]) -> float:
    return (degrees - span[0]) / (span[1] - span[0]) * 2.0 - 1.0
