"""The requests of one session, with authentication and what each status means."""

import re
import secrets

import structlog

from drivers.errors import (
    CameraAnswerError,
    CameraAuthenticationError,
    CameraBusyError,
    CameraError,
    CameraFaultError,
    CameraUnreachableError,
    StreamError,
)
from drivers.rtsp.connection import Connection
from drivers.rtsp.digest import Authenticator
from drivers.rtsp.errors import StreamFellError, UnsupportedTransportError
from drivers.rtsp.messages import Message
from drivers.rtsp.rtcp import Reception, picture_loss, receiver_report
from drivers.rtsp.source import RtspSource
from drivers.rtsp.urls import StreamUrl
from kernel.media import GapCause

log = structlog.get_logger(__name__)

USER_AGENT = "Sightline"
DEFAULT_TIMEOUT_S = 60.0
SHORTEST_TIMEOUT_S = 4.0
ATTEMPTS = 4
"""Challenges answered for one request: two algorithms, each with a nonce gone stale."""


class Dialogue:
    """Speaks for one session."""

    def __init__(self, connection: Connection, url: StreamUrl, source: RtspSource) -> None:
        self._connection = connection
        self._url = url
        self._timeout_s = source.answer_timeout_s
        self._authenticator = Authenticator(source.username, source.password, basic_allowed=url.tls and source.vouched)
        self._session = ""
        self._public: set[str] = set()
        self._plain_keepalive = False
        """GET_PARAMETER was refused: OPTIONS keeps the session instead."""
        self._ssrc = secrets.randbits(32)
        self.session_timeout_s = DEFAULT_TIMEOUT_S

    async def describe(self) -> Message:
        """Ask what the camera can do and what the stream is; return the description, or a redirect."""
        options = await self._ask("OPTIONS", str(self._url), [], tolerant=True)
        self._public = {word.strip().upper() for word in options.get("public").split(",")}
        return await self._ask("DESCRIBE", str(self._url), [("Accept", "application/sdp")])

    async def set_up(self, uri: str, channel: int) -> int:
        """SETUP one track on a pair of channels; return the one the camera chose for RTP."""
        answer = await self._ask(
            "SETUP", uri, [("Transport", f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}")]
        )
        ident, _, rest = answer.get("session").partition(";")
        self._session = ident.strip() or self._session
        limit = re.search(r"timeout\s*=\s*(\d{1,6})", rest)
        if limit is not None:
            self.session_timeout_s = max(SHORTEST_TIMEOUT_S, float(limit[1]))
        transport = answer.get("transport")
        if transport and "interleaved" not in transport.lower() and "tcp" not in transport.lower():
            raise UnsupportedTransportError("The camera will not send over the RTSP connection.", fault=461)
        given = re.search(r"interleaved\s*=\s*(\d{1,3})", transport)
        return int(given[1]) if given and int(given[1]) < 255 else channel

    async def play(self, uri: str) -> None:
        """Begin. RTP-Info is not read: its numbers are wrong on enough cameras to be of no use."""
        await self._ask("PLAY", uri, [("Range", "npt=0.000-")])

    async def keep_alive(self, uri: str) -> None:
        """Refresh the session by GET_PARAMETER, or by OPTIONS where the camera knows no better.

        A camera that does not answer, or refuses, may go on sending all the same: pictures decide, not this.

        Raises:
            StreamFellError: the session or the connection is gone.
        """
        offered = not self._public - {""} or "GET_PARAMETER" in self._public
        if offered and not self._plain_keepalive:
            if await self._refreshed("GET_PARAMETER", uri):
                return
            self._plain_keepalive = True
        await self._refreshed("OPTIONS", uri)

    async def _refreshed(self, method: str, uri: str) -> bool:
        try:
            answer = await self._ask(method, uri, [], tolerant=True)
        except StreamFellError:
            raise
        except CameraError as error:
            log.info("stream.keepalive_refused", method=method, error=error.code)
            return False
        if answer.status == 454:
            raise StreamFellError("The camera has forgotten the session.", cause=GapCause.CAMERA)
        return answer.status == 200

    async def tear_down(self, uri: str, *, timeout_s: float) -> None:
        """End the session."""
        if self._session:
            await self._connection.request("TEARDOWN", uri, self._headers("TEARDOWN", uri), timeout_s=timeout_s)

    def report(self, channel: int, reception: Reception | None) -> None:
        """Send a receiver report: some cameras stop without them."""
        self._connection.send_packet(channel, receiver_report(self._ssrc, reception, USER_AGENT.lower()))

    def ask_for_keyframe(self, channel: int, theirs: int) -> None:
        """Send a picture loss indication, in a compound packet as RFC 4585 wants it."""
        self._connection.send_packet(
            channel, receiver_report(self._ssrc, None, USER_AGENT.lower()) + picture_loss(self._ssrc, theirs)
        )

    # ---

    def _headers(self, method: str, uri: str) -> list[tuple[str, str]]:
        headers = [("User-Agent", USER_AGENT)]
        if self._session:
            headers.append(("Session", self._session))
        proof = self._authenticator.header(method, uri)
        if proof is not None:
            headers.append(("Authorization", proof))
        return headers

    async def _ask(self, method: str, uri: str, headers: list[tuple[str, str]], *, tolerant: bool = False) -> Message:
        """Send a request, answer challenges, and return an answer of 200 (or 3xx, or any where ``tolerant``)."""
        for _ in range(ATTEMPTS):
            try:
                answer = await self._connection.request(
                    method, uri, [*headers, *self._headers(method, uri)], timeout_s=self._timeout_s
                )
            except TimeoutError:
                raise StreamError(
                    f"The camera does not answer {method} within {self._timeout_s:g} s.",
                    cure="Check its link; restart the camera if it lasts.",
                    address=self._url.netloc,
                ) from None
            except StreamFellError as error:
                if self._session:
                    raise
                raise CameraUnreachableError(
                    f"The camera closed the connection at {method}.", cure="Check the camera.", address=self._url.netloc
                ) from error
            if answer.status != 401:
                if answer.status == 200:
                    self._authenticator.accepted()
                elif not tolerant and answer.status // 100 != 3:
                    raise self._refusal(answer, method)
                return answer
            if tolerant and method == "OPTIONS" and not answer.all("www-authenticate"):
                return answer
            self._authenticator.challenged(answer.all("www-authenticate"))
        raise CameraAuthenticationError(
            "The camera challenges for ever.", cure="Check the user name and password, and the camera's clock."
        )

    def _refusal(self, answer: Message, method: str) -> CameraError:
        """Return what a status means (RFC 2326 section 11)."""
        reason = f"{answer.status} {answer.reason[:80]}".strip()
        error = _refused(answer.status, reason, method)
        error.facts |= {"fault": answer.status, "action": method, "address": self._url.netloc}
        return error


def _refused(status: int, reason: str, method: str) -> CameraError:
    error: CameraError
    if status == 403:
        error = CameraAuthenticationError(
            f"The camera forbids this user the stream ({reason}).", cure="Give the account the right to view."
        )
    elif status in {453, 503}:
        error = CameraBusyError(
            f"The camera has no session left ({reason}).",
            cure="Close other viewers, or raise its limit; it is tried again.",
        )
    elif status == 461:
        error = UnsupportedTransportError("The camera will not send over the RTSP connection.")
    elif status == 454:
        error = StreamFellError("The camera has forgotten the session.", cause=GapCause.CAMERA)
    elif status == 404:
        error = CameraFaultError("The camera does not know this stream (404).", cure="Enrol the camera again.")
    elif 400 <= status < 600:
        error = CameraFaultError(f"The camera refuses {method} ({reason}).", cure="Look into its log.")
    else:
        error = CameraAnswerError(f"The camera answers {method} with {reason}.")
    return error
