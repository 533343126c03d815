"""How a viewer and a server meet: our host's socket, the aiortc server's, or Janus's HTTP API."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx
from aiortc.sdp import SessionDescription

from audience.viewer import Viewer
from gateway.fleet.hosts import HostClient
from kernel.ids import CameraId, StreamName


class Signalling(Protocol):
    """Brings one viewer to the server."""

    async def join(self, viewer: Viewer, number: int) -> None:
        """Describe the viewer and connect it."""
        ...


class ToSightline:
    """A camera host's own socket: the body of a WHEP request, as the gateway passes it on."""

    def __init__(self, client: HostClient, camera: str, address: str) -> None:
        self._client, self._camera, self._address = client, CameraId(camera), address

    async def join(self, viewer: Viewer, number: int) -> None:
        """See :class:`Signalling`."""
        answer = await self._client.live_offer(
            self._camera,
            StreamName.MAIN,
            (await viewer.local()).encode(),
            who=f"viewer {number}",
            address=self._address,
        )
        await viewer.connect(SessionDescription.parse(answer.sdp), offered=True)


class ToAiortc:
    """A line of JSON there and one back."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def join(self, viewer: Viewer, number: int) -> None:
        """See :class:`Signalling`."""
        reader, writer = await asyncio.open_unix_connection(str(self._path), limit=2**20)
        writer.write(json.dumps({"offer": await viewer.local(), "viewer": number}).encode() + b"\n")
        answer = json.loads(await reader.readline())
        writer.close()
        await viewer.connect(SessionDescription.parse(answer["answer"]), offered=True)


class ToJanus:
    """Janus's plain HTTP API: a session, the streaming plugin, its offer, our answer."""

    def __init__(self, http: httpx.AsyncClient, mountpoint: int) -> None:
        self._http, self._mountpoint = http, mountpoint

    async def join(self, viewer: Viewer, number: int) -> None:
        """See :class:`Signalling`."""
        del number
        session = (await self._ask("/janus", janus="create"))["data"]["id"]
        way = f"/janus/{session}"
        handle = (await self._ask(way, janus="attach", plugin="janus.plugin.streaming"))["data"]["id"]
        body = {"request": "watch", "id": self._mountpoint}
        await self._ask(f"{way}/{handle}", janus="message", body=body)
        event: dict[str, Any] = {}
        while "jsep" not in event:
            event = (await self._http.get(way, params={"maxev": 1})).raise_for_status().json()
            if event.get("janus") == "error" or "error" in event.get("plugindata", {}).get("data", {}):
                raise ConnectionError(f"Janus refuses: {event}")
        offered = SessionDescription.parse(event["jsep"]["sdp"])
        answer = {"type": "answer", "sdp": await viewer.local(offered=offered)}
        await self._ask(f"{way}/{handle}", janus="message", body={"request": "start"}, jsep=answer)
        await viewer.connect(offered, offered=False)

    async def _ask(self, path: str, **question: Any) -> dict[str, Any]:
        answer = await self._http.post(path, json={**question, "transaction": secrets.token_hex(6)})
        said: dict[str, Any] = answer.raise_for_status().json()
        if said.get("janus") not in {"success", "ack"}:
            raise ConnectionError(f"Janus refuses: {said}")
        return said


@asynccontextmanager
async def signalling(kind: str, target: str, *, camera: str, address: str) -> AsyncIterator[Signalling]:
    """Give the way to a server of a ``kind`` (sightline, aiortc, janus); ``target`` is where it listens."""
    if kind == "sightline":
        async with HostClient(Path(target)) as client:
            yield ToSightline(client, camera, address)
    elif kind == "janus":
        async with httpx.AsyncClient(base_url=target, timeout=30) as http:
            yield ToJanus(http, int(camera))
    else:
        yield ToAiortc(Path(target))
