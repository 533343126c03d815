"""The metadata track: PTZ status and motion as ONVIF XML (ONVIF Streaming, section 5.2.1.1)."""

from xml.sax.saxutils import quoteattr

from drivers.simulator.device import DeviceEvent, SimulatedDevice
from kernel.clock import utc

_PTZ_SPACE = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/PositionGenericSpace"
_ZOOM_SPACE = "http://www.onvif.org/ver10/tptz/ZoomSpaces/PositionGenericSpace"
MOTION_TOPIC = "tns1:VideoSource/MotionAlarm"


def document(device: SimulatedDevice, wall_ns: int, motion: DeviceEvent | None) -> bytes:
    """Return one complete tt:MetadataStream."""
    time = utc(wall_ns).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema"'
        ' xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" xmlns:tns1="http://www.onvif.org/ver10/topics">'
        f"{_ptz(device, time)}{_motion(motion, time)}"
        "</tt:MetadataStream>"
    ).encode()


def _ptz(device: SimulatedDevice, time: str) -> str:
    if device.head is None:
        return ""
    position = device.head.position()
    state = "MOVING" if device.head.aim().moving or device.faults.stuck_moving else "IDLE"
    return (
        "<tt:PTZ><tt:PTZStatus><tt:Position>"
        f'<tt:PanTilt x="{position.pan:.5f}" y="{position.tilt:.5f}" space="{_PTZ_SPACE}"/>'
        f'<tt:Zoom x="{position.zoom:.5f}" space="{_ZOOM_SPACE}"/>'
        f"</tt:Position><tt:MoveStatus><tt:PanTilt>{state}</tt:PanTilt><tt:Zoom>{state}</tt:Zoom></tt:MoveStatus>"
        f"<tt:UtcTime>{time}</tt:UtcTime></tt:PTZStatus></tt:PTZ>"
    )


def _motion(motion: DeviceEvent | None, time: str) -> str:
    source = motion.source if motion else {"Source": "source"}
    data = motion.data if motion else {"State": "false"}
    return (
        "<tt:Event><wsnt:NotificationMessage>"
        '<wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">'
        f"{MOTION_TOPIC}</wsnt:Topic><wsnt:Message>"
        f'<tt:Message UtcTime="{time}" PropertyOperation="Changed">'
        f"<tt:Source>{_items(source)}</tt:Source><tt:Data>{_items(data)}</tt:Data>"
        "</tt:Message></wsnt:Message></wsnt:NotificationMessage></tt:Event>"
    )


def _items(items: dict[str, str]) -> str:
    return "".join(f"<tt:SimpleItem Name={quoteattr(name)} Value={quoteattr(value)}/>" for name, value in items.items())
