"""A gateway at work with a camera host that has no cameras, and people signed in at it."""

import re
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from config.access import AccessSettings
from config.server import ServerSettings
from config.settings import Settings
from gateway.app import Gateway, open_gateway
from gateway.audit.leaves import Entry
from gateway.db.audit import AuditFilter
from gateway.fleet import rpc
from kernel.clock import Clock, SystemClock
from tests.fakes.host import FakeHost
from tests.fakes.waiting import until

PASSWORD = "four unrelated words here"
PATIENCE_S = 60
"""A machine that is busy with something else answers late, and that is nothing wrong here."""
KEPT = httpx.Limits(keepalive_expiry=1.0)
"""The server ends a connection that was idle for 5 s, which is this client's own default too: what it sends just as
that happens is lost, and unlike a browser it does not send it again."""
UNTRUSTING = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Knows no authority, as nothing here is TLS: to read those of the machine takes each client 40 ms."""
ROLES = ("administrator", "supervisor", "operator", "viewer", "member")


class Desk:
    """What a test of the API works with. ``admin`` is signed in."""

    admin: httpx.AsyncClient

    def __init__(self, gateway: Gateway, host: FakeHost, stack: AsyncExitStack) -> None:
        self.gateway = gateway
        self.host = host
        self._stack = stack

    @property
    def url(self) -> str:
        """Return where the gateway listens."""
        return self.gateway.url

    async def anybody(self, **headers: str) -> httpx.AsyncClient:
        """Return a browser on our pages that is not signed in; ``headers`` replace or (empty) remove its own."""
        headers_of_ours = {"Origin": self.url, "X-Sightline": "1"}
        client = httpx.AsyncClient(
            base_url=self.url, headers=headers_of_ours, timeout=PATIENCE_S, limits=KEPT, verify=UNTRUSTING
        )
        for name, value in headers.items():
            client.headers[name.replace("_", "-")] = value
        return await self._stack.enter_async_context(client)

    async def person(self, role: str, username: str | None = None) -> httpx.AsyncClient:
        """Return the browser of a new user who is signed in."""
        username = username or f"some-{role}"
        body = {"username": username, "role": role, "password": PASSWORD, "name": username.title()}
        answer = await self.admin.post("/api/v1/users", json=body)
        assert answer.status_code == 201, answer.text
        return await self.again(username)

    async def again(self, username: str) -> httpx.AsyncClient:
        """Return another browser of a user, signed in."""
        client = await self.anybody()
        answer = await client.post("/api/v1/session", json={"username": username, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return client

    async def token(self, role: str) -> httpx.AsyncClient:
        """Return a program with an API token."""
        answer = await self.admin.post("/api/v1/tokens", json={"name": f"{role} program", "role": role, "days": 1})
        bearer = {"Authorization": f"Bearer {answer.json()['token']}"}
        client = httpx.AsyncClient(
            base_url=self.url, headers=bearer, timeout=PATIENCE_S, limits=KEPT, verify=UNTRUSTING
        )
        return await self._stack.enter_async_context(client)

    async def enrol(self, **facts: object) -> str:
        """Enrol a camera and return its identifier."""
        body = {"address": "192.0.2.1", "username": "root", "password": "camera secret", **facts}
        answer = await self.admin.post("/api/v1/cameras", json=body)
        assert answer.status_code == 201, answer.text
        camera: str = answer.json()[0]["id"]
        await until(lambda: self.gateway.fleet.state(camera) is not None, what="the camera's state")  # type: ignore[arg-type]
        return camera

    async def watch(self, client: httpx.AsyncClient, camera: str, stream: str = "main") -> str:
        """Start a live view and return the address of its session."""
        answer = await client.post(
            f"/whep/{camera}/{stream}", content=b"v=0", headers={"Content-Type": rpc.SDP_MEDIA_TYPE}
        )
        assert answer.status_code == 201, answer.text
        return answer.headers["location"]

    @asynccontextmanager
    async def socket(self, client: httpx.AsyncClient, path: str, **headers: str) -> AsyncIterator[ClientConnection]:
        """Open a WebSocket with a browser's cookies."""
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        sent = {"Origin": self.url, "Cookie": cookies, **headers}
        async with connect(
            self.url.replace("http", "ws", 1) + path,
            additional_headers={name: value for name, value in sent.items() if value},
            max_size=None,
            open_timeout=PATIENCE_S,
        ) as socket:
            yield socket

    async def audit(self, action: str | None = None) -> list[Entry]:
        """Return what was recorded, oldest first."""
        await self.gateway.trail.settled()
        return (await self.gateway.trail.entries(AuditFilter(action=action), limit=1000))[::-1]


def settings_in(path: Path, **access: Any) -> Settings:
    """Return the settings of a gateway in ``path`` on a free port."""
    return Settings(
        server=ServerSettings(host="127.0.0.1", port=0, plain_http=True, data_dir=path, shutdown_s=1.0),
        access=AccessSettings(**access),
    )


@asynccontextmanager
async def open_desk(
    path: Path, *, settings: Settings | None = None, host: FakeHost | None = None, clock: Clock | None = None
) -> AsyncIterator[Desk]:
    """Give a gateway that was just set up by its administrator, ``root``."""
    host = host or FakeHost()
    async with (
        open_gateway(settings or settings_in(path), clock=clock or SystemClock(), open_host=host.open) as gateway,
        AsyncExitStack() as stack,
    ):
        await until(lambda: gateway.fleet.up, what="the host to be linked")
        desk = Desk(gateway, host, stack)
        await sign_up(desk)
        yield desk


async def sign_up(desk: Desk) -> None:
    """Make the administrator, ``root``, and sign in."""
    desk.admin = await desk.anybody()
    body = {"code": desk.gateway.setup_code, "username": "root", "password": PASSWORD, "name": "Root"}
    answer = await desk.admin.post("/api/v1/setup", json=body)
    assert answer.status_code == 201, answer.text


def filled(path: str, **values: str) -> str:
    """Return a path of the OpenAPI document with its parameters filled in."""
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], "x"), path)
