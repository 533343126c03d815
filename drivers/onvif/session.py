"""HTTP to one camera: one pooled session, at most two requests at a time, everything bounded, every address checked.

Bodies are capped before and after decompression, which is done here in bounded steps: a small gzip body that grows to
gigabytes is dropped after the first few megabytes.
"""

import asyncio
import socket
import zlib
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from drivers.addresses import AddressPolicy
from drivers.certificates import ends_ns
from drivers.errors import (
    CameraAnswerError,
    CameraError,
    CameraRefusedAddressError,
    CameraUnreachableError,
)
from drivers.model import CameraTarget
from drivers.onvif.locations import without_credentials
from kernel.clock import NS_PER_S, Clock

REDIRECTS = {301, 302, 303, 307, 308}
MAX_REDIRECTS = 3
CHUNK_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one camera may cost."""

    request_s: float = 10.0
    connect_s: float = 4.0
    soap_bytes: int = 4 * 1024 * 1024
    snapshot_bytes: int = 16 * 1024 * 1024
    concurrent: int = 2
    per_second: int = 10
    """Bursts reboot some cameras."""


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request. A ``repeatable`` one is sent again, once, where a pooled connection turned out to be dead."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None = None
    max_bytes: int
    timeout_s: float
    repeatable: bool = False
    urgent: bool = False
    """A hand on the stick waits for it: it goes at once, beside whatever is under way. The controller of a head sends
    one at a time and paces them itself, so a camera bears at most one request more than ``Limits.concurrent``."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole answer."""

    status: int
    headers: Any
    """Case-insensitive, several values to a name (multidict)."""
    body: bytes
    url: str


class _CheckedResolver(AbstractResolver):
    """Gives the connector only addresses that the policy allows; it connects to these and to nothing else."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - both are looked up
    ) -> list[ResolveResult]:
        found = await self._policy.resolve(host, port)
        return [
            ResolveResult(
                hostname=host,
                host=ip,
                port=port,
                family=socket.AF_INET6 if ":" in ip else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for ip in found
        ]

    async def close(self) -> None:
        """Nothing is held."""


class _WatchingConnector(aiohttp.TCPConnector):
    """Notes which certificate the camera shows: once an answer is there its connection may be gone."""

    certificate: bytes | None = None
    """DER."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Any],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's
    ) -> aiohttp.connector.Connection:
        connection = await super().connect(req, traces, timeout)
        tls = connection.transport.get_extra_info("ssl_object") if connection.transport is not None else None
        if tls is not None:
            self.certificate = tls.getpeercert(binary_form=True)
        return connection


class Session:
    """Made by :func:`open_session`."""

    def __init__(
        self,
        client: aiohttp.ClientSession,
        connector: "_WatchingConnector",
        target: CameraTarget,
        *,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self.vouched = target.vouched
        """Whether TLS proves who answers."""
        self._redirects_max = 0 if target.roams else MAX_REDIRECTS
        self._client = client
        self._connector = connector
        self._clock = clock
        self.limits = limits
        self._turn = asyncio.Semaphore(limits.concurrent)
        self._recent: deque[int] = deque(maxlen=limits.per_second)

    @property
    def certificate_ends_ns(self) -> int | None:
        """Return when the certificate ends that the camera showed last; ``None`` outside TLS."""
        return ends_ns(self._connector.certificate)

    async def request(self, request: HttpRequest) -> HttpAnswer:
        """Send one request and read the whole answer, whatever its status.

        Raises:
            CameraUnreachableError: no connection, no answer in time, or a certificate that is not trusted.
            CameraRefusedAddressError: an address, also of a redirect, that the policy refuses.
            CameraAnswerError: not HTTP, too large, endless, or a decompression bomb.
        """
        if request.urgent:
            self._recent.append(self._clock.monotonic_ns())
            return await self._sent(request)
        async with self._turn:
            await self._pace()
            return await self._sent(request)

    async def _sent(self, request: HttpRequest) -> HttpAnswer:
        for attempt in range(2):
            try:
                return await self._bounded(request)
            except aiohttp.ServerDisconnectedError as error:
                if attempt or not request.repeatable:
                    raise _mapped(error, request.url) from error
        raise AssertionError  # pragma: no cover - the loop returns or raises

    async def _pace(self) -> None:
        if len(self._recent) == self._recent.maxlen:
            await self._clock.sleep_until(self._recent[0] + NS_PER_S)
        self._recent.append(self._clock.monotonic_ns())

    async def _bounded(self, request: HttpRequest) -> HttpAnswer:
        url = request.url
        began = False
        try:
            async with asyncio.timeout(request.timeout_s):
                for _ in range(self._redirects_max + 1):
                    async with self._client.request(
                        request.method, url, data=request.body, headers=request.headers, allow_redirects=False
                    ) as response:
                        began = True
                        target = response.headers.get("Location")
                        if response.status in REDIRECTS and target:
                            url = _redirected(url, target)
                            continue
                        content = await _whole(response, request.max_bytes, url)
                        return HttpAnswer(response.status, response.headers, content, url)
        except TimeoutError:
            if began:
                raise CameraAnswerError(
                    "The camera began to answer and did not come to an end.",
                    cure="Check that this is a camera, and its network.",
                    address=url,
                    cause="endless",
                ) from None
            raise CameraUnreachableError(
                "The camera did not answer in time.",
                cure="Check its address, its power and the network between.",
                address=url,
                cause="timeout",
            ) from None
        except aiohttp.ServerDisconnectedError:
            raise
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _mapped(error, url) from error
        if not self._redirects_max:
            raise CameraRefusedAddressError(
                "The camera redirects, and one that says itself where it is is followed no further.",
                cure="Enrol it at the address that it redirects to.",
                address=request.url,
                cause="redirect",
            )
        raise CameraAnswerError(
            "The camera redirects in circles.", cure="Give the address that it redirects to.", address=url
        )


def _redirected(url: str, target: str) -> str:
    """Return where a redirect leads: the same host, and its port or TLS. Anything else is refused.

    A camera may move to HTTPS or to another path. A redirect elsewhere would carry our requests, from inside the
    camera network, to a machine that nobody enrolled.
    """
    old = urlsplit(url)
    try:
        new = urlsplit(without_credentials(urljoin(url, target)))
        same = new.hostname == old.hostname and (
            (new.scheme == old.scheme and new.port == old.port) or (old.scheme == "http" and new.scheme == "https")
        )
    except ValueError:
        new, same = urlsplit(""), False
    if not same:
        raise CameraRefusedAddressError(
            f"The camera redirects to {new.hostname or 'nowhere'}, which is not where it was enrolled.",
            cure="If that is the camera, enrol it at that address.",
            address=url,
            cause="redirect",
        )
    return new.geturl()


async def _whole(response: aiohttp.ClientResponse, limit: int, url: str) -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in {"gzip", "x-gzip", "deflate"}:
        inflate = zlib.decompressobj(wbits=47 if encoding != "deflate" else 15)
    elif encoding in {"", "identity"}:
        inflate = None
    else:
        raise CameraAnswerError(
            f"The camera answers in an encoding we did not ask for ({encoding[:20]}).",
            cure="Check its firmware.",
            address=url,
        )
    content = bytearray()
    received = 0
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        received += len(chunk)
        try:
            content += chunk if inflate is None else inflate.decompress(chunk, limit + 1 - len(content))
        except zlib.error as error:
            raise CameraAnswerError(
                "The camera's compressed answer is damaged.", cure="Check its firmware.", address=url
            ) from error
        if len(content) > limit or received > limit:
            response.close()
            grows = "is longer" if inflate is None else "unpacks to more"
            raise CameraAnswerError(
                f"The camera's answer {grows} than {limit // 1024} KiB; it was not read.",
                cure="Check that this is a camera, and its firmware.",
                address=url,
                cause="too-long" if inflate is None else "decompression-bomb",
            )
    return bytes(content)


def _mapped(error: Exception, url: str) -> CameraError:
    """Turn what the HTTP client raises into our tree, in this one place."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return CameraUnreachableError(
            "The camera's name has no address.", cure="Check its spelling and the DNS server.", address=url
        )
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ServerFingerprintMismatch):
        return CameraUnreachableError(
            "The camera's certificate is not trusted.",
            cure="Pin its fingerprint, or waive the check for this camera.",
            address=url,
            cause="certificate",
        )
    if isinstance(error, aiohttp.ClientSSLError):
        return CameraUnreachableError(
            "TLS with the camera fails.", cure="Check whether its port speaks TLS.", address=url, cause="tls"
        )
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, ConnectionRefusedError):
        return CameraUnreachableError(
            "Nothing listens at the camera's address.",
            cure="Check the address and the port.",
            address=url,
            cause="refused",
        )
    if isinstance(error, aiohttp.ClientResponseError | aiohttp.ClientPayloadError | ValueError):
        return CameraAnswerError(
            "Something answers, but it is not HTTP.",
            cure="Check the address and the port.",
            address=url,
            cause="garbage",
        )
    return CameraUnreachableError(
        "The connection to the camera failed.", cure="Check its power and the network between.", address=url
    )


@asynccontextmanager
async def open_session(
    target: CameraTarget, *, clock: Clock, policy: AddressPolicy, limits: Limits
) -> AsyncIterator[Session]:
    """Open the pooled HTTP session of one camera."""

    def checked_socket(address: tuple[Any, ...]) -> socket.socket:
        # The last gate: every connection passes here with the very address it goes to, names and numbers alike.
        family, kind, protocol, _, where = address
        policy.check_ip(where[0])
        return socket.socket(family=family, type=kind, proto=protocol)

    ssl: bool | aiohttp.Fingerprint = target.tls_verify
    if target.tls_fingerprint_sha256:
        ssl = aiohttp.Fingerprint(bytes.fromhex(target.tls_fingerprint_sha256.replace(":", "")))
    connector = _WatchingConnector(
        resolver=_CheckedResolver(policy),
        socket_factory=checked_socket,
        use_dns_cache=False,
        limit=limits.concurrent + 1,  # one for the urgent
        keepalive_timeout=20.0,
        ssl=ssl,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=limits.connect_s),
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        headers={"User-Agent": "Sightline", "Accept-Encoding": "identity"},
    ) as client:
        yield Session(client, connector, target, clock=clock, limits=limits)
