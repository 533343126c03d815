"""What `sightline simulate` shows: a table of cameras with their addresses; and the same as data for other programs."""

from typing import Any

from rich.console import Console
from rich.table import Table

from drivers.simulator.borough import Borough, open_borough
from drivers.simulator.device import SimulatedDevice
from drivers.simulator.onvif import device_url
from drivers.simulator.settings import BoroughSettings
from kernel.clock import Clock
from kernel.ids import StreamName

_FOR_EVER_S = 3600.0


def rtsp_url(device: SimulatedDevice, stream: StreamName) -> str:
    """Return the address of a stream, without credentials."""
    return f"rtsp://{device.host}:{device.rtsp_port}/{stream.value}"


def table(borough: Borough) -> Table:
    """Return number, name, ONVIF address, RTSP addresses, user and password of every camera."""
    shown = Table(title=f"{len(borough.devices)} simulated cameras", title_justify="left", expand=False)
    if borough.deployables:
        shown.caption = "Addresses of deployable units are those of this moment."
    shown.add_column("No.", justify="right")
    for column in ("Name", "ONVIF", "RTSP", "User", "Password"):
        shown.add_column(column, overflow="fold")
    for device in borough.devices:
        shown.add_row(
            str(device.number),
            device.name,
            device_url(device),
            "\n".join(f"{rtsp_url(device, name)}  {_coding(device, name)}" for name in device.streams),
            device.username,
            device.password,
        )
    return shown


def _coding(device: SimulatedDevice, name: StreamName) -> str:
    stream = device.streams[name]
    return (
        f"{stream.codec.value.upper().replace('H2', 'H.2')} {stream.width}x{stream.height} at {stream.frame_rate:g}/s"
    )


def facts(borough: Borough) -> dict[str, Any]:
    """Return what `python -m drivers.simulator --json` prints when all cameras are reachable."""
    fixed = len(borough.devices) - len(borough.deployables)
    return {
        "cameras": [_camera(borough, device) for device in borough.devices[:fixed]],
        "units": [{"label": one.unit.label, **_camera(borough, one.device)} for one in borough.deployables],
        "ground": borough.ground_geojson(),
    }


def _camera(borough: Borough, device: SimulatedDevice) -> dict[str, Any]:
    place = device.mount.place
    return {
        "number": device.number,
        "name": device.name,
        "street": borough.street(device.number),
        "serial": device.serial,
        "urn": device.urn,
        "host": device.host,
        "http_port": device.http_port,
        "rtsp_port": device.rtsp_port,
        "device_url": device_url(device),
        "main_url": rtsp_url(device, StreamName.MAIN),
        "sub_url": rtsp_url(device, StreamName.SUB) if StreamName.SUB in device.streams else None,
        "username": device.username,
        "password": device.password,
        "latitude": place.latitude_deg,
        "longitude": place.longitude_deg,
        "height_m": place.height_m,
        "bearing_deg": device.mount.bearing_deg,
    }


async def simulate(settings: BoroughSettings, *, clock: Clock, console: Console | None = None) -> None:
    """Run a borough until cancelled and print its table once it can be reached.

    Raises:
        PortTakenError: a camera cannot listen where it should.
    """
    console = console or Console()
    async with open_borough(settings, clock=clock) as borough:
        console.print(table(borough))
        if any(settings.faults):
            console.print("Faults on: " + ", ".join(settings.faults))
        console.print("Ctrl-C ends them.")
        while True:
            await clock.sleep(_FOR_EVER_S)
