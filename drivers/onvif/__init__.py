"""The ONVIF client: enrols, steers, listens to and keeps up with cameras (docs/design/onvif-client.md)."""

from drivers.onvif.accounts import Account, accounts, set_password
from drivers.onvif.bootstrap import ClockReading
from drivers.onvif.device import Device, open_device
from drivers.onvif.discovery import discover, expand
from drivers.onvif.enrolment import EnrolLimits, EnrolmentResult, enrol, meet, stream_urls
from drivers.onvif.events import CameraEvent
from drivers.onvif.head import OnvifHead
from drivers.onvif.hellos import hear_hellos
from drivers.onvif.session import Limits

__all__ = [
    "Account",
    "CameraEvent",
    "ClockReading",
    "Device",
    "EnrolLimits",
    "EnrolmentResult",
    "Limits",
    "OnvifHead",
    "accounts",
    "discover",
    "enrol",
    "expand",
    "hear_hellos",
    "meet",
    "open_device",
    "set_password",
    "stream_urls",
]
