"""A minimal player: aiortc's peer connection, which decodes what comes, and the ICE restart that aiortc has not."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aioice import stun
from aioice.candidate import Candidate
from aioice.ice import Connection
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What checks are signed with. ``password`` is of the side that is asked."""

    ours: str
    theirs: str
    password: str


def found(name: str, sdp: str) -> str:
    """Return the first value of an attribute in a description or fragment, or nothing."""
    match = re.search(rf"^a={name}:(.*?)\s*$", sdp, re.MULTILINE)
    return match[1] if match else ""


def candidates_in(sdp: str) -> list[Candidate]:
    """Return the candidates of a description or fragment."""
    return [Candidate.from_sdp(line) for line in re.findall(r"^a=candidate:(.*?)\s*$", sdp, re.MULTILINE)]


class Player:
    """One peer that receives one video. ``frames`` counts what it has decoded."""

    def __init__(self, *, loopback: bool) -> None:
        """With ``loopback`` it gathers 127.0.0.1 alone, which ICE leaves out otherwise."""
        self.frames = 0
        self._loopback = loopback
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        receiver = self._peer.addTransceiver("video", direction="recvonly").receiver
        self._receiver = receiver
        self._dtls: Any = receiver.transport
        self._ice: Any = self._dtls.transport
        self._here(self._connection)
        self._watching: asyncio.Task[None] | None = None
        self._more = asyncio.Event()
        self.offered = ""
        self.answered = ""

    @property
    def _connection(self) -> Any:
        return self._ice._connection

    def _here(self, connection: Any) -> None:
        if self._loopback:
            gather = connection.get_component_candidates
            connection.get_component_candidates = lambda component, **_: gather(component, [LOOPBACK])

    async def offer(self, *, candidates: bool = True) -> str:
        """Return an offer, with every candidate or with none."""
        await self._peer.setLocalDescription(await self._peer.createOffer())
        self.offered = self._peer.localDescription.sdp
        return self.offered if candidates else re.sub(r"a=(candidate:.*|end-of-candidates)\r\n", "", self.offered)

    async def accept(self, answer: str) -> None:
        """Take the answer, connect, and decode from now on."""
        self.answered = answer
        await self._peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        try:
            while True:
                await self._receiver.track.recv()
                self.frames += 1
                self._more.set()
        except MediaStreamError:
            return

    async def more_frames(self, count: int, *, within_s: float) -> bool:
        """Return whether so many more frames are decoded in that time."""
        goal = self.frames + count
        try:
            async with asyncio.timeout(within_s):
                while self.frames < goal:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            return False
        return True

    @property
    def over(self) -> bool:
        """Return whether the other side has ended the DTLS session."""
        state: str = self._dtls.state
        return state in {"closed", "failed"}

    @property
    def credentials(self) -> Credentials:
        """Return what our checks of the server are signed with now."""
        connection = self._connection
        return Credentials(
            ours=connection.local_username, theirs=connection.remote_username, password=connection.remote_password
        )

    @property
    def section(self) -> str:
        """Return the first lines of the media section that candidates belong to."""
        match = re.search(r"^m=.*$", self.offered, re.MULTILINE)
        assert match is not None
        return f"{match[0].strip()}\r\na=mid:{found('mid', self.offered)}\r\n"

    def fragment(self, *candidates: str, name: str | None = None, password: str | None = None) -> str:
        """Return a fragment of our present credentials, or of others; ``candidates`` are lines without ``a=``."""
        lines = [
            f"a=ice-ufrag:{name or self._connection.local_username}",
            f"a=ice-pwd:{password or self._connection.local_password}",
        ]
        return "\r\n".join([*lines, self.section.rstrip(), *(f"a={line}" for line in candidates), ""])

    @property
    def candidates(self) -> list[str]:
        """Return our candidates, as a fragment has them."""
        return [f"candidate:{one.to_sdp()}" for one in self._connection.local_candidates]

    async def restart(self, send: Callable[[str], Awaitable[str]], *, within_s: float) -> bool:
        """Restart ICE: ``send`` a fragment and get the answer's; return whether a new pair was found and is in use."""
        old = self._connection
        fresh: Any = Connection(ice_controlling=old.ice_controlling)
        self._here(fresh)
        await fresh.gather_candidates()
        lines = [f"candidate:{one.to_sdp()}" for one in fresh.local_candidates]
        fragment = self.fragment(*lines, name=fresh.local_username, password=fresh.local_password)
        try:
            answer = await send(fragment)
            fresh.remote_username, fresh.remote_password = found("ice-ufrag", answer), found("ice-pwd", answer)
            for candidate in candidates_in(answer):
                if candidate.transport == "udp":
                    await fresh.add_remote_candidate(candidate)
            await fresh.add_remote_candidate(None)
            fresh._queue = old._queue
            async with asyncio.timeout(within_s):
                await fresh.connect()
        except (ConnectionError, TimeoutError):
            fresh._queue = asyncio.Queue()
            await fresh.close()
            return False
        except BaseException:
            fresh._queue = asyncio.Queue()
            await fresh.close()
            raise
        old._queue = asyncio.Queue()
        fresh._event_waiter, old._event_waiter = old._event_waiter, None
        self._ice._connection, self._ice._recv, self._ice._send = fresh, fresh.recv, fresh.send
        await old.close()
        return True

    async def vanish(self) -> None:
        """Be gone without a word, as a pulled cable is."""
        await self._connection.close()

    async def close(self) -> None:
        """Leave."""
        await self._peer.close()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])


async def answers_check(candidate: Candidate, credentials: Credentials, *, within_s: float) -> bool:
    """Return whether a connectivity check (RFC 8445 section 7.2) of a candidate is answered with success."""
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{credentials.theirs}:{credentials.ours}"
    request.attributes["PRIORITY"] = 1
    request.attributes["ICE-CONTROLLING"] = 1
    request.add_message_integrity(credentials.password.encode())
    loop = asyncio.get_running_loop()
    heard: asyncio.Future[bytes] = loop.create_future()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Ear(heard), remote_addr=(candidate.host, candidate.port)
    )
    try:
        transport.sendto(bytes(request))
        async with asyncio.timeout(within_s):
            data = await heard
    except TimeoutError:
        return False
    finally:
        transport.close()
    return stun.parse_message(data).message_class is stun.Class.RESPONSE


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, heard: "asyncio.Future[bytes]") -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        if not self._heard.done():
            self._heard.set_result(data)
