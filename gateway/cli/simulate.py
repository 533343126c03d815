"""`sightline simulate`: the simulated borough alone, for any ONVIF or RTSP client."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from config.errors import BadValueError
from config.logs import LogSettings
from drivers.simulator.describe import simulate as run_borough
from drivers.simulator.settings import BoroughSettings
from gateway.cli.failures import plainly
from gateway.cli.run import stopping
from gateway.logs import configure
from kernel.clock import SystemClock
from kernel.media import VideoCodec

DEFAULT = BoroughSettings()


def simulate(  # noqa: PLR0913, PLR0917 - its options
    cameras: Annotated[int, typer.Option(help="How many.")] = DEFAULT.cameras,
    codec: Annotated[VideoCodec, typer.Option(help="Coding of the main streams.")] = DEFAULT.codec,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="A knob to turn, as in drop_link, packet_loss=0.02, 3:freeze_picture, unit:2:stolen; may be repeated."
        ),
    ] = None,
    size: Annotated[str, typer.Option(help="Of the main streams.")] = f"{DEFAULT.width}x{DEFAULT.height}",
    frame_rate: Annotated[float, typer.Option(help="Pictures a second.")] = DEFAULT.frame_rate,
    seed: Annotated[int, typer.Option(help="Another seed is another town.")] = DEFAULT.seed,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = DEFAULT.host,
    http_port: Annotated[int, typer.Option(help="ONVIF port of the first camera; the others follow. 0: any.")] = 0,
    rtsp_port: Annotated[int, typer.Option(help="RTSP port of the first camera; the others follow. 0: any.")] = 0,
    units: Annotated[int, typer.Option(help="Deployable units beside the cameras, each with a camera.")] = 0,
    units_broker: Annotated[
        str | None, typer.Option(help="Where units call in over MQTT, as in mqtts://127.0.0.1:8883.")
    ] = None,
    units_certificates: Annotated[
        Path | None, typer.Option(help="Folder with ca.pem and of each unit D001.pem and D001.key.")
    ] = None,
    discovery: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--discovery", help="Answer WS-Discovery.")
    ] = False,
) -> None:
    """Run simulated cameras alone, for any client.

    Prints addresses and credentials of ONVIF cameras that look at a small town. Ctrl-C ends them.
    """
    with plainly():
        configure(LogSettings(level="warning"))
        width, _, height = size.partition("x")
        try:
            settings = BoroughSettings.model_validate(
                {
                    "cameras": cameras,
                    "codec": codec,
                    "faults": tuple(fault or ()),
                    "width": width,
                    "height": height,
                    "frame_rate": frame_rate,
                    "seed": seed,
                    "host": host,
                    "http_port": http_port,
                    "rtsp_port": rtsp_port,
                    "units": units,
                    "units_broker": _broker(units_broker, units_certificates),
                    "discovery": discovery,
                }
            )
        except ValidationError as error:
            said = "; ".join(_said(detail["loc"], detail["msg"]) for detail in error.errors(include_url=False))
            raise BadValueError(f"That cannot be simulated: {said}.", cure="See `sightline simulate --help`.") from None
        asyncio.run(_simulate(settings))


def _broker(url: str | None, certificates: Path | None) -> dict[str, object] | None:
    if url is None:
        return None
    if certificates is None:
        raise BadValueError("Units call in by certificates.", cure="Name their folder with --units-certificates.")
    return {"url": url, "certificates": certificates}


async def _simulate(settings: BoroughSettings) -> None:
    async with stopping() as stop:
        running = asyncio.ensure_future(run_borough(settings, clock=SystemClock()))
        told = asyncio.ensure_future(stop.wait())
        await asyncio.wait([running, told], return_when=asyncio.FIRST_COMPLETED)
        for task in (running, told):
            task.cancel()
        await asyncio.wait([running, told])
        if not running.cancelled():
            running.result()


def _said(location: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ").removesuffix(".")
    return ": ".join([*(str(part) for part in location[:1]), message])
