"""Where a device says that it can be reached; several makes say it wrongly."""

from drivers.simulator.device import SimulatedDevice, StreamSettings

PRIVATE_HOST = "192.168.1.64"
"""What a camera behind a router calls itself."""
_ANY = {"0.0.0.0", "::", ""}  # noqa: S104 - compared with, not bound to


def device_url(device: SimulatedDevice) -> str:
    """Return the true URL of the device service."""
    host = "127.0.0.1" if device.host in _ANY else device.host
    return f"http://{_bracketed(host)}:{device.http_port}/onvif/device_service"


def told_url(device: SimulatedDevice, host: str, path: str) -> str:
    """Return the HTTP URL of ``path`` as the device tells it to a client that calls it ``host``."""
    doubled = f":{device.http_port}" if device.faults.double_port else ""
    return f"http://{_told_host(device, host)}:{device.http_port}{doubled}{path}"


def told_rtsp_url(device: SimulatedDevice, host: str, stream: StreamSettings) -> str:
    """Return the RTSP URL of a stream as the device tells it."""
    return f"rtsp://{_told_host(device, host)}:{device.rtsp_port}/{stream.name.value}"


def _told_host(device: SimulatedDevice, host: str) -> str:
    if device.faults.private_addresses:
        return PRIVATE_HOST
    return _bracketed(host if device.host in _ANY else device.host)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
