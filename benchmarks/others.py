"""What a benchmark compares with, measured in the same run on the same camera: libraries that talk to it directly.

Each is less than the product (no gateway, no browser), so a ratio near one says that the whole way costs little more.
"""

import asyncio
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import onvif

from drivers.simulator.picture.strip import read

LOW_DELAY = {
    "rtsp_transport": "tcp",
    "allowed_media_types": "video",
    "fflags": "nobuffer",
    "flags": "low_delay",
    # As a player tuned for joining sets them; libav's own take over four seconds.
    "analyzeduration": "100000",
    "probesize": "100000",
    "timeout": "10000000",
}


def _address(camera: dict[str, Any]) -> str:
    return str(camera["main_url"]).replace("://", f"://{camera['username']}:{camera['password']}@")


def _libav_ages(camera: dict[str, Any], seconds: float) -> list[float]:
    ages: list[float] = []
    with av.open(_address(camera), options=LOW_DELAY) as source:
        stream = source.streams.video[0]
        stream.thread_type = "NONE"  # frame threads would hold pictures back
        began = time.monotonic()
        for frame in source.decode(stream):
            strip = read(frame.to_ndarray(format="gray").astype(np.uint8, copy=False))
            if time.monotonic() - began > 2.0 and strip is not None:
                ages.append(time.time() * 1000 - strip.wall_ms)
            if time.monotonic() - began > seconds + 2.0:
                break
    return ages


async def libav_ages(camera: dict[str, Any], seconds: float) -> list[float]:
    """Return the ages in ms of pictures that libav decodes straight from the camera."""
    return await asyncio.to_thread(_libav_ages, camera, seconds)


def _libav_join(camera: dict[str, Any]) -> float:
    began = time.monotonic()
    with av.open(_address(camera), options=LOW_DELAY) as source:
        next(source.decode(source.streams.video[0]))
    return (time.monotonic() - began) * 1000


async def libav_joins(camera: dict[str, Any], joins: int) -> list[float]:
    """Return the times in ms from opening the camera with libav to its first decoded picture."""
    return [await asyncio.to_thread(_libav_join, camera) for _ in range(joins)]


async def bare_moves(camera: dict[str, Any], moves: int) -> list[tuple[int, int]]:
    """Make ContinuousMove with onvif-zeep-async alone; return monotonic ns before each call and after it."""
    host, _, port = str(camera["device_url"]).split("/")[2].partition(":")
    wsdl = Path(onvif.__file__).parent / "wsdl"
    client = onvif.ONVIFCamera(host, int(port), camera["username"], camera["password"], str(wsdl))
    spans = []
    try:
        await client.update_xaddrs()
        media = await client.create_media_service()
        token = (await media.GetProfiles())[0].token
        ptz = await client.create_ptz_service()
        for move in range(moves):
            before_ns = time.monotonic_ns()
            await ptz.ContinuousMove(
                {"ProfileToken": token, "Velocity": {"PanTilt": {"x": 0.1 if move % 2 else -0.1, "y": 0}}}
            )
            spans.append((before_ns, time.monotonic_ns()))
            await asyncio.sleep(0.1)
        await ptz.Stop({"ProfileToken": token})
    finally:
        await client.close()
    return spans


def versus(ours: float, **theirs: float) -> dict[str, dict[str, float]]:
    """Return the ``versus`` key: each other's value, and ours divided by it."""
    return {name: {"value": round(value, 2), "ratio": round(ours / value, 2)} for name, value in theirs.items()}
