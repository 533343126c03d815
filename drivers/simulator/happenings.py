"""Things that happen to a camera and are told as events: motion, tampering, inputs, relays; and its scopes."""

from urllib.parse import quote

from drivers.simulator.device import DeviceEvent, SimulatedDevice

SOURCE = "video-source-1"
MOTION_ALARM = "tns1:VideoSource/MotionAlarm"
CELL_MOTION = "tns1:RuleEngine/CellMotionDetector/Motion"
TAMPER = "tns1:VideoSource/GlobalSceneChange/ImagingService"
DIGITAL_INPUT = "tns1:Device/Trigger/DigitalInput"
RELAY = "tns1:Device/Trigger/Relay"

_CELL_SOURCE = {
    "VideoSourceConfigurationToken": SOURCE,
    "VideoAnalyticsConfigurationToken": "analytics-1",
    "Rule": "motion",
}


def motion(device: SimulatedDevice, *, on: bool) -> None:
    """Something moves in the picture, or no longer does: both topics by which cameras tell it."""
    _tell(device, MOTION_ALARM, {"Source": SOURCE}, "State", on=on)
    _tell(device, CELL_MOTION, _CELL_SOURCE, "IsMotion", on=on)


def tamper(device: SimulatedDevice, *, on: bool) -> None:
    """The whole scene changed: the camera was turned or covered."""
    _tell(device, TAMPER, {"Source": SOURCE}, "State", on=on)


def digital_input(device: SimulatedDevice, token: str, *, on: bool) -> None:
    """A contact closed or opened."""
    device.inputs[token] = on
    _tell(device, DIGITAL_INPUT, {"InputToken": token}, "LogicalState", on=on)


def relay(device: SimulatedDevice, token: str, *, on: bool) -> None:
    """A relay was switched."""
    device.relays[token] = on
    device.emit(
        DeviceEvent(RELAY, {"RelayToken": token}, {"LogicalState": "active" if on else "inactive"}, device.wall_ns())
    )


def present(device: SimulatedDevice) -> list[DeviceEvent]:
    """Return every property with the state it has before anything happened, inputs and relays as they are."""

    def state(topic: str, source: dict[str, str], name: str, *, on: bool) -> DeviceEvent:
        return DeviceEvent(topic, source, {name: "true" if on else "false"}, device.wall_ns(), "Initialized")

    relays = [
        DeviceEvent(
            RELAY,
            {"RelayToken": token},
            {"LogicalState": "active" if on else "inactive"},
            device.wall_ns(),
            "Initialized",
        )
        for token, on in device.relays.items()
    ]
    return [
        state(MOTION_ALARM, {"Source": SOURCE}, "State", on=False),
        state(CELL_MOTION, _CELL_SOURCE, "IsMotion", on=False),
        state(TAMPER, {"Source": SOURCE}, "State", on=False),
        *(state(DIGITAL_INPUT, {"InputToken": t}, "LogicalState", on=on) for t, on in device.inputs.items()),
        *relays,
    ]


def scopes(device: SimulatedDevice) -> list[str]:
    """Return the scopes of a camera, as GetScopes and discovery tell them."""
    profiles = ["Streaming", "T"]
    kinds = ["video_encoder", *(["ptz"] if device.head else []), *(["audio_encoder"] if device.audio else [])]
    base = "onvif://www.onvif.org"
    return [
        *(f"{base}/Profile/{name}" for name in profiles),
        *(f"{base}/type/{kind}" for kind in kinds),
        f"{base}/name/{quote(device.name)}",
        f"{base}/hardware/Simulated%20Dome",
        f"{base}/location/",
    ]


def _tell(device: SimulatedDevice, topic: str, source: dict[str, str], name: str, *, on: bool) -> None:
    device.emit(DeviceEvent(topic, source, {name: "true" if on else "false"}, device.wall_ns()))
