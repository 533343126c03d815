"""Presets (ONVIF PTZ service specification, section 5.4), and the placeholders that some makes fill the list with."""

from itertools import count

import structlog

from drivers.simulator.device import HeadModel, SimulatedDevice
from drivers.simulator.onvif.capabilities import PRESETS_MAX
from drivers.simulator.onvif.markup import Element, el
from drivers.simulator.onvif.ptz_moves import vector_element
from drivers.simulator.onvif.ptz_nodes import check_profile, speed_of
from drivers.simulator.onvif.soap import Fault, Request, Service, invalid, operation
from drivers.simulator.onvif.touring import Touring
from kernel.head import Preset

log = structlog.get_logger()

REBOOT_SLOT = "94"
_SPECIAL = {
    "33": "Auto-flip",
    "34": "Back to origin",
    "39": "Day mode",
    "40": "Night mode",
    "92": "Set manual limits",
    "93": "Save manual limits",
    REBOOT_SLOT: "Remote reboot",
    "95": "Call OSD menu",
    "96": "Stop a scan",
    "97": "Start random scan",
    "98": "Start frame scan",
    "99": "Start auto scan",
}
_LONGEST_NAME = 64


class PtzPresetService(Service):
    """Stored positions."""

    prefix = "tptz"

    def __init__(self, device: SimulatedDevice, head: HeadModel, touring: Touring) -> None:
        super().__init__(device)
        self._head = head
        self._touring = touring

    def _placeholders(self) -> dict[str, str]:
        """Return the factory's slots that hold no position: token -> name."""
        faults = self.device.faults
        slots = [str(number) for number in range(1, faults.factory_presets + 1)]
        slots += [REBOOT_SLOT] if faults.preset_reboots and REBOOT_SLOT not in slots else []
        return {slot: _SPECIAL.get(slot, f"Preset {slot}") for slot in slots if slot not in self.device.presets}

    @operation("GetPresets")
    def get_presets(self, request: Request) -> list[Element]:
        """Return all, the placeholders among them."""
        check_profile(request)
        zoom = not request.faults.no_zoom
        stored = [
            el(
                "tptz:Preset",
                el("tt:Name", preset.name),
                vector_element("tt:PTZPosition", preset.position, zoom=zoom) if preset.position else None,
                token=preset.token,
            )
            for preset in self.device.presets.values()
        ]
        return stored + [
            el("tptz:Preset", el("tt:Name", name), token=token) for token, name in self._placeholders().items()
        ]

    @operation("SetPreset")
    def set_preset(self, request: Request) -> Element:
        """Store this position, anew or over a preset that is there."""
        check_profile(request)
        presets = self.device.presets
        if request.faults.setpreset_fails_moving and self._head.aim().moving:
            raise Fault("Action", "MovingPTZ", reason="The head is moving.", receiver=True)
        token, name = request.text("PresetToken"), request.text("PresetName")
        if token and token not in presets and token not in self._placeholders():
            raise invalid(f"There is no preset {token}.", "NoToken")
        if len(name) > _LONGEST_NAME:
            raise invalid("The name of the preset is too long.", "InvalidPresetName")
        if name and any(preset.name == name and preset.token != token for preset in presets.values()):
            raise invalid(f"There is a preset called {name} already.", "PresetExist")
        if not token and len(presets) >= PRESETS_MAX:
            raise Fault("Action", "TooManyPresets", reason="No preset can be added.", receiver=True)
        taken = presets.keys() | self._placeholders().keys()
        token = token or next(free for free in map(str, count(1)) if free not in taken)
        old = presets.get(token)
        name = name or (old.name if old else f"Preset {token}")
        presets[token] = Preset(token, name, self._head.position())
        return el("tptz:PresetToken", token)

    @operation("RemovePreset")
    def remove_preset(self, request: Request) -> None:
        """Forget a position."""
        check_profile(request)
        token = request.need("PresetToken")
        if token not in self.device.presets:
            raise invalid(f"There is no preset {token}.", "NoToken")
        del self.device.presets[token]

    @operation("GotoPreset")
    def goto_preset(self, request: Request) -> None:
        """Go to a stored position; a placeholder goes nowhere, and one of them reboots the camera."""
        check_profile(request)
        token = request.need("PresetToken")
        preset = self.device.presets.get(token)
        if preset is not None and preset.position is not None:
            speed = speed_of(request.body)
            self._touring.interrupt()
            self._head.go_to(preset.position, speed=speed)
        elif token in self._placeholders():
            if token == REBOOT_SLOT and request.faults.preset_reboots:
                log.debug("simulator.preset_reboot", camera=self.device.number)
                request.after.append(self.device.reboot)
        else:
            raise invalid(f"There is no preset {token}.", "NoToken")
