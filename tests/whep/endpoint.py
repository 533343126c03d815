"""A WHEP endpoint as a check sees it: requests, and views that are given back when the check is over."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import httpx

from tests.whep.player import Player

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
GONE = (404, 410)
TIMEOUT_S = 30.0


class NotApplicable(Exception):  # noqa: N818 - it is no error
    """The endpoint has not what the check is about, or the kit was not told enough to try it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the kit was told."""

    url: str
    token: str | None = None
    insecure: bool = False
    patience_s: float = 60.0
    """How long a session that nobody uses any more may be remembered."""
    frames_s: float = 15.0
    """How long pictures may be away."""
    silence_s: float = 1.0
    """How long the kit listens to be sure that nothing is answered."""
    burst: int = 600
    """Requests after which a limit is looked for no further."""
    idle_url: str | None = None
    """An endpoint without anything to show."""
    fill: int = 0
    """Views after which the endpoint is full; 0: it is not tried."""
    origin: str | None = None
    """A web origin whose pages may play."""


@dataclass(slots=True)
class View:
    """A session of the endpoint. ``etag`` is the latest one."""

    endpoint: "Endpoint"
    player: Player
    made: httpx.Response
    url: str
    etag: str | None
    restarted: list[httpx.Response] = field(default_factory=list)

    async def patch(
        self, body: str, *, if_match: str | None = "", kind: str = FRAGMENT, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Send a PATCH; with the latest ETag, unless another ``if_match`` is given, or none."""
        sent = {"Content-Type": kind, **(headers or {})}
        tag = (self.etag or "*") if if_match == "" else if_match
        if tag is not None:
            sent["If-Match"] = tag
        return await self.endpoint.ask("PATCH", self.url, body=body, headers=sent)

    async def restart(self) -> httpx.Response:
        """Restart ICE, wait for the new pair, and return what was answered.

        Raises:
            NotApplicable: the endpoint restarts none (422).
        """

        async def send(fragment: str) -> str:
            answer = await self.patch(fragment, if_match="*")
            self.restarted.append(answer)
            if answer.status_code == 422:
                raise NotApplicable("ICE restarts are refused with 422")
            assert answer.status_code == 200, f"an ICE restart was answered {answer.status_code}"
            self.etag = answer.headers.get("etag", self.etag)
            return answer.text

        connected = await self.player.restart(send, within_s=self.endpoint.options.frames_s)
        assert connected, "no new pair was found after the ICE restart"
        return self.restarted[-1]

    async def plays(self, frames: int = 3) -> None:
        """See pictures being decoded."""
        within_s = self.endpoint.options.frames_s
        assert await self.player.more_frames(frames, within_s=within_s), f"no pictures were decoded within {within_s} s"


class Endpoint:
    """One URL, and the client that asks it."""

    def __init__(self, options: Options, client: httpx.AsyncClient) -> None:
        self.options = options
        self.loopback = urlsplit(options.url).hostname in {"127.0.0.1", "localhost"}
        self._client = client

    async def ask(
        self,
        method: str,
        url: str | None = None,
        *,
        body: str | None = None,
        headers: dict[str, str] | None = None,
        signed: bool = True,
    ) -> httpx.Response:
        """Send a request, with the token if it is to be ``signed``."""
        sent = dict(headers or {})
        if signed and self.options.token:
            sent["Authorization"] = f"Bearer {self.options.token}"
        return await self._client.request(method, url or self.options.url, content=body, headers=sent)

    async def offer(self, sdp: str, *, url: str | None = None, kind: str = SDP) -> httpx.Response:
        """Send an offer."""
        return await self.ask("POST", url, body=sdp, headers={"Content-Type": kind})

    @asynccontextmanager
    async def player(self) -> AsyncIterator[Player]:
        """Give a player that has offered nothing yet."""
        player = Player(loopback=self.loopback)
        try:
            yield player
        finally:
            await player.close()

    @asynccontextmanager
    async def view(self, *, connect: bool = True, candidates: bool = True) -> AsyncIterator[View]:
        """Give a session; it plays, unless it is not to ``connect``."""
        async with self.player() as player, AsyncExitStack() as leaving:
            made = await self.offer(await player.offer(candidates=candidates))
            location = made.headers.get("location")
            if location:
                url = urljoin(self.options.url, location)
                leaving.push_async_callback(self.ask, "DELETE", url)
            assert made.status_code == 201, f"an offer was answered {made.status_code}: {made.text[:200]}"
            assert location, "the 201 has no Location"
            view = View(self, player, made, url, made.headers.get("etag"))
            if connect:
                await player.accept(made.text)
                await view.plays()
            yield view


@asynccontextmanager
async def open_endpoint(options: Options) -> AsyncIterator[Endpoint]:
    """Give the endpoint."""
    async with httpx.AsyncClient(verify=not options.insecure, timeout=TIMEOUT_S) as client:
        yield Endpoint(options, client)
