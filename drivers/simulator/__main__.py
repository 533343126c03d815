"""`python -m drivers.simulator`: a simulated borough in a process of its own.

With ``--json`` it prints one line of JSON when every camera can be reached, obeys orders on its standard input (see
``drivers.simulator.orders``), and ends on SIGTERM, SIGINT or when that input closes.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import stat
import sys

import structlog
from pydantic import ValidationError

from drivers.simulator.borough import open_borough
from drivers.simulator.describe import facts, simulate
from drivers.simulator.orders import obey
from drivers.simulator.settings import BoroughSettings
from drivers.simulator.units.broker import Broker
from kernel.clock import SystemClock
from kernel.errors import SightlineError
from kernel.media import VideoCodec


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m drivers.simulator", description="Simulated ONVIF cameras.")
    default = BoroughSettings()
    parser.add_argument("--cameras", type=int, default=default.cameras)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--host", default=default.host)
    parser.add_argument("--http-port", type=int, default=0, help="of the first camera; the others follow (0: any)")
    parser.add_argument("--rtsp-port", type=int, default=0, help="of the first camera; the others follow (0: any)")
    parser.add_argument("--codec", choices=[codec.value for codec in VideoCodec], default=default.codec.value)
    parser.add_argument("--sub-codec", choices=[codec.value for codec in VideoCodec], default=default.sub_codec.value)
    parser.add_argument("--size", default=f"{default.width}x{default.height}", help="of the main streams")
    parser.add_argument("--sub-size", default="640x360", help="of the sub streams; none: no sub streams")
    parser.add_argument("--frame-rate", type=float, default=default.frame_rate)
    parser.add_argument("--gop-frames", type=int, default=default.gop_frames)
    parser.add_argument("--bitrate-kbit", type=int, default=default.bitrate_kbit)
    parser.add_argument("--username", default=default.username)
    parser.add_argument("--password", default=default.password)
    parser.add_argument("--own-passwords", action="store_true", help="a random one for each camera, told with --json")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME[=VALUE]", help="as in 3:packet_loss=0.02")
    parser.add_argument("--units", type=int, default=default.units, help="deployable units beside the cameras")
    parser.add_argument("--units-broker", metavar="URL", help="where they call in, as in mqtts://127.0.0.1:8883")
    parser.add_argument("--units-certificates", metavar="DIR", help="with ca.pem, D001.pem, D001.key and so on")
    parser.add_argument("--units-protocol", choices=["5", "3.1.1"], default="5", help="version of MQTT")
    parser.add_argument("--discovery", action="store_true", help="answer WS-Discovery")
    parser.add_argument("--json", action="store_true", help="one line of JSON when ready; orders on standard input")
    return parser


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        msg = f"{text!r} is not a size. Write it as 1280x720."
        raise ValueError(msg)
    return int(width), int(height)


def _broker(arguments: argparse.Namespace) -> Broker | None:
    if arguments.units_broker is None:
        return None
    if arguments.units_certificates is None:
        msg = "Units call in by certificates. Name their folder with --units-certificates."
        raise ValueError(msg)
    return Broker(
        url=arguments.units_broker, certificates=arguments.units_certificates, protocol=arguments.units_protocol
    )


def settings_of(arguments: argparse.Namespace) -> BoroughSettings:
    """Return the settings that a command line asks for.

    Raises:
        ValueError: one of them makes no sense.
    """
    width, height = _size(arguments.size)
    return BoroughSettings(
        cameras=arguments.cameras,
        seed=arguments.seed,
        host=arguments.host,
        http_port=arguments.http_port,
        rtsp_port=arguments.rtsp_port,
        codec=VideoCodec(arguments.codec),
        sub_codec=VideoCodec(arguments.sub_codec),
        width=width,
        height=height,
        sub=None if arguments.sub_size == "none" else _size(arguments.sub_size),
        frame_rate=arguments.frame_rate,
        gop_frames=arguments.gop_frames,
        bitrate_kbit=arguments.bitrate_kbit,
        username=arguments.username,
        password=arguments.password,
        own_passwords=arguments.own_passwords,
        faults=tuple(arguments.fault),
        units=arguments.units,
        units_broker=_broker(arguments),
        discovery=arguments.discovery,
    )


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer, separators=(",", ":")) + "\n")
    sys.stdout.flush()


async def _orders() -> asyncio.StreamReader | None:
    """Return standard input, or None where it is a file or nothing that could close."""
    mode = os.fstat(0).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return None
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def serve(settings: BoroughSettings) -> None:
    """Run until standard input closes or the task is cancelled."""
    async with open_borough(settings, clock=SystemClock()) as borough:
        _say(facts(borough))
        orders = await _orders()
        if orders is None:
            await asyncio.Event().wait()
            return
        while line := await orders.readline():
            answer = obey(borough, line.decode(errors="replace"))
            if answer is not None:
                _say(answer)


async def _main(arguments: argparse.Namespace, settings: BoroughSettings) -> None:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await (serve(settings) if arguments.json else simulate(settings, clock=SystemClock()))


def main() -> int:
    """Return the exit code."""
    arguments = _parser().parse_args()
    # Painting threads and the servers share the interpreter: at the usual 5 ms a camera would answer as late as that,
    # several times over, whenever its head moves.
    sys.setswitchinterval(0.0005)
    # Standard output belongs to the caller.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if arguments.json else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        settings = settings_of(arguments)
        asyncio.run(_main(arguments, settings))
    except asyncio.CancelledError:
        return 0
    except ValidationError as error:
        sys.stderr.write("".join(f"{part['msg'].removeprefix('Value error, ')}\n" for part in error.errors()))
        return 2
    except (ValueError, SightlineError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
