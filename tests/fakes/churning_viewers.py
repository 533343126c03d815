"""Viewers that come and go: ``python -m tests.fakes.churning_viewers ADDRESS COUNT AT_ONCE``.

A process of its own, so that what the server's side keeps can be told from what viewers keep. They are aiortc's own
peer connections and leave in every way there is; the last line says how many left in which.
"""

import asyncio
import json
import sys
from collections import Counter
from ipaddress import ip_address
from itertools import count
from typing import Any

import aioice.ice
import httpx
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

PICTURES = 3
WAYS = ("delete", "close", "vanish", "delete at once", "never come")


class Crowd:
    """All of them."""

    def __init__(self, client: httpx.AsyncClient, viewers: int) -> None:
        self.left: Counter[str] = Counter()
        self._client = client
        self._numbers = iter(range(viewers))

    async def churn(self) -> None:
        """Join and leave until enough have."""
        for number in self._numbers:
            way = WAYS[number % len(WAYS)]
            await asyncio.wait_for(self._view(way), 60)
            self.left[way] += 1

    async def _view(self, way: str) -> None:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        try:
            peer.addTransceiver("video", direction="recvonly")
            await peer.setLocalDescription(await peer.createOffer())
            answer = await self._client.post("/whep/main", content=peer.localDescription.sdp)
            answer.raise_for_status()
            session = answer.headers["location"]
            if way == "never come":
                return
            await peer.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
            if way == "delete at once":
                (await self._client.delete(session)).raise_for_status()
                return
            track = peer.getReceivers()[0].track
            for _ in range(PICTURES):
                await track.recv()
            if way == "delete":
                (await self._client.delete(session)).raise_for_status()
            elif way == "vanish":
                _fall_silent(peer)
        finally:
            await peer.close()


def _fall_silent(peer: Any) -> None:
    """Be gone without a word, as a pulled cable is: not even the end of DTLS is told."""
    for transport in peer._RTCPeerConnection__iceTransports:
        for protocol in transport._connection._protocols:
            protocol.transport.abort()
            # What still wants to send, a check of consent or the end of DTLS, finds no socket and must not mind.
            protocol.send_data, protocol.send_stun = _to_nobody, _unheard


async def _to_nobody(_data: bytes, _address: Any) -> None:
    """Send nothing."""


def _unheard(_message: Any, _address: Any) -> None:
    """Send nothing."""


async def _main(address: str, viewers: int, at_once: int) -> None:
    # Each from an address of its own: one that vanished may otherwise have the place of one that comes.
    numbers = count(1)
    aioice.ice.get_host_addresses = lambda **_: [str(ip_address("127.1.0.0") + next(numbers))]
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        crowd = Crowd(client, viewers)
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(crowd.churn())
    print(json.dumps(crowd.left))  # noqa: T201 - this is its report


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
