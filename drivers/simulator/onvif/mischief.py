"""What a camera does to its answers when it is broken: on the wire, and inside the XML."""

import asyncio
import re
import secrets
import struct
import zlib
from functools import cache

from aiohttp import web

from drivers.simulator.device import SimulatedDevice
from drivers.simulator.faults import Faults
from drivers.simulator.onvif.markup import NAMESPACES

_LOOPBACK = "http://127.0.0.1:1/"
_ATTRIBUTE = re.compile(r'(\s(?!xmlns)[\w:]+)="([\w.:/-]+)"')
_CHUNK = b"<!-- " + b"and so on " * 1600 + b"-->"
_PAUSE_S = 0.002
"""Between the chunks of an endless body: it must be endless, not fast."""
_BOMB_MIB = 256


async def hang(device: SimulatedDevice) -> None:
    """Wait until the link is back."""
    while device.faults.drop_link:
        await device.clock.sleep(0.05)


async def instead(request: web.BaseRequest, device: SimulatedDevice) -> web.StreamResponse | None:
    """Return what is answered in place of an answer, if anything."""
    faults = device.faults
    if faults.garbage:
        return _garbage(request)
    if faults.redirect_to_loopback:
        return web.Response(status=302, headers={"Location": _LOOPBACK})
    if faults.gzip_bomb:
        return web.Response(
            body=await asyncio.to_thread(gzip_bomb),
            headers={"Content-Encoding": "gzip"},
            content_type="application/soap+xml",
        )
    if faults.entity_bomb:
        return web.Response(text=entity_bomb(), content_type="application/soap+xml")
    if faults.endless_body:
        return await _endless(request, device)
    return None


def _garbage(request: web.BaseRequest) -> web.StreamResponse:
    """Write random bytes where an HTTP status line should be, and hang up."""
    if request.transport is not None:
        request.transport.write(secrets.token_bytes(512))
        request.transport.close()
    return web.Response()


async def _endless(request: web.BaseRequest, device: SimulatedDevice) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Type": "application/soap+xml; charset=utf-8"})
    await answer.prepare(request)
    await answer.write(f'<env:Envelope xmlns:env="{NAMESPACES["env"]}">'.encode())
    while device.faults.endless_body:
        await answer.write(_CHUNK)
        await device.clock.sleep(_PAUSE_S)
    return answer


def entity_bomb() -> str:
    """Return an envelope whose ten entities stand for a thousand million words ("billion laughs")."""
    lines = ['<!ENTITY e0 "lol">'] + [f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10)]
    return (
        f'<?xml version="1.0"?>\n<!DOCTYPE bomb [{"".join(lines)}]>\n'
        f'<env:Envelope xmlns:env="{NAMESPACES["env"]}"><env:Body><bomb>&e9;</bomb></env:Body></env:Envelope>'
    )


@cache
def gzip_bomb() -> bytes:
    """Return a quarter of a megabyte that unpacks to a quarter of a gigabyte of spaces.

    One deflate stream: a fully flushed block stands for itself wherever it is put, so one MiB is compressed and
    repeated. The checksum alone has to see everything, which is why callers make it in a thread.
    """
    filler = b" " * 2**20
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(filler) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(_BOMB_MIB):
        checksum = zlib.crc32(filler, checksum)
    head = bytes.fromhex("1f8b0800000000000003")
    return head + block * _BOMB_MIB + packer.flush() + struct.pack("<II", checksum, _BOMB_MIB * 2**20)


def mangle(document: str, faults: Faults) -> bytes:
    """Return a SOAP message as the bytes that this camera makes of it."""
    if faults.undeclared_prefixes:
        document = document.replace(f' xmlns:tt="{NAMESPACES["tt"]}"', "", 1)
    if faults.unquoted_attributes:
        head, mark, rest = document.partition("?>")
        document = head + mark + _ATTRIBUTE.sub(r"\1=\2", rest)
    if faults.bad_utf8:
        head, mark, rest = document.partition("?>")
        return (head + mark + "<!-- caméra -->" + rest).encode("latin-1", "replace")
    return document.encode()
