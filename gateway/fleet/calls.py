"""One camera host's wire: every call bounded in time and number, and refused at once where the host is known silent.

HostError                       (kernel.errors.SightlineError; code, message, cure and status are the host's own)
├── HostUnreachableError        nothing answers on the socket, or the host died in mid-answer
│   └── HostSilentError         it is there and says nothing: stopped, stuck, or swamped
├── HostBusyError               too much is being asked of it at once
└── HostMismatchError           it is not a host of ours, or speaks another version; nothing else is asked of it
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from gateway.fleet import rpc
from kernel.errors import SightlineError

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

BEATS_MISSED = 4
SILENCE_S = BEATS_MISSED * rpc.HEARTBEAT_S
"""A host that lets this pass without a word on its state stream is known to be silent."""
IN_FLIGHT_MAX = 64
"""Calls to one host at once; more are refused, not queued."""


class HostError(SightlineError):
    """A camera host refused, in its own words. ``status`` is the HTTP status that fits."""

    code = "host.error"

    def __init__(self, problem: rpc.Problem) -> None:
        super().__init__(problem.title, cure=problem.cure, retry_after_s=problem.retry_after_s)
        self.code = problem.type
        self.status = problem.status
        self.retry_after_s = problem.retry_after_s
        self.problem = problem


class HostUnreachableError(HostError):
    """Nothing answers on the host's socket. Recording goes on there or is being restarted; ask again."""

    code = "host.unreachable"
    said = "No camera host answers at {socket}"

    def __init__(self, socket: Path, detail: str) -> None:
        super().__init__(
            rpc.Problem(
                type=self.code,
                title=f"{self.said.format(socket=socket)} ({detail}).",
                cure="It is started again by itself; look at its log if this lasts.",
                status=503,
                retry_after_s=2,
            )
        )


class HostSilentError(HostUnreachableError):
    """The host is there, and nothing comes from it."""

    code = "host.silent"
    said = "The camera host at {socket} is silent"


class HostBusyError(HostError):
    """Too much is being asked of the host at once."""

    def __init__(self, socket: Path) -> None:
        super().__init__(
            rpc.Problem(
                type="host.busy",
                title=f"The camera host at {socket} has {IN_FLIGHT_MAX} questions to answer already.",
                cure="Ask again in a moment.",
                status=503,
                retry_after_s=1,
            )
        )


class HostMismatchError(HostError):
    """What answers is not a host of this gateway, or speaks another version."""

    def __init__(self, title: str, *, cure: str, code: str = "host.version") -> None:
        super().__init__(rpc.Problem(type=code, title=title, cure=cure, status=503, retry_after_s=30))


_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""A socket of this machine has no TLS: to read whom the machine trusts takes 20 ms a host."""


class HostWire:
    """Carries calls to one host's socket. An async context manager."""

    def __init__(self, socket: Path, *, timeout_s: float) -> None:
        self.socket = socket
        self.shut: HostError | None = None
        """Why nothing is asked of the host at present. The link's own questions go through all the same."""
        self._calls: set[asyncio.Timeout] = set()
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(
                uds=str(socket),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=32),
                verify=_NOBODY,
            ),
            base_url="http://host",
            timeout=httpx.Timeout(timeout_s, connect=SILENCE_S, pool=SILENCE_S),
        )

    @property
    def http(self) -> httpx.AsyncClient:
        """Return the HTTP client itself, to be opened and closed."""
        return self._http

    def close_for(self, error: HostError) -> None:
        """Ask no more of the host, and end what is being asked: whoever waits is told ``error`` now."""
        self.shut = error
        for call in tuple(self._calls):
            if not call.expired():
                call.reschedule(0.0)

    def reopen(self) -> None:
        """Ask again."""
        self.shut = None

    def refuse_if_shut(self) -> None:
        """Raise why nothing is asked of the host at present, where that is so."""
        if self.shut is not None:
            # One error is raised again and again: what the last one to meet it did is not kept.
            raise self.shut.with_traceback(None) from None

    async def ask(  # noqa: PLR0913 - the parts of an HTTP request
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        media_type: str = "application/json",
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        by_link: bool = False,
    ) -> httpx.Response:
        """Return the host's answer to one question.

        Raises:
            HostError: it refused, or does not answer; never later than the time limit, and at once where it is known
                to be silent.
        """
        sent = {"content-type": media_type} if content is not None else {}
        async with self._passage(by_link=by_link):
            answer = await self._http.request(
                method,
                path,
                content=content,
                params=params,
                headers={**sent, **(headers or {})},
                timeout=httpx.USE_CLIENT_DEFAULT if timeout_s is None else timeout_s,
            )
        if answer.is_error:
            raise refusal(answer)
        return answer

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        silence_s: float | None = None,
        by_link: bool = False,
    ) -> AsyncIterator[httpx.Response]:
        """Give an answer that is read piece by piece; ``silence_s`` is the longest wait for its first.

        Where that is given the pieces come by :meth:`heard`, which bounds the wait for each.

        Raises:
            HostError: as :meth:`ask`, on entering and while it is read.
        """
        timeout = httpx.USE_CLIENT_DEFAULT if silence_s is None else httpx.Timeout(silence_s, read=None)
        async with self._passage(by_link=by_link), AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(silence_s):
                    answer = await stack.enter_async_context(
                        self._http.stream("GET", path, params=params, timeout=timeout)
                    )
                    if answer.is_error:
                        await answer.aread()
            except TimeoutError:
                raise HostSilentError(self.socket, "no answer") from None
            if answer.is_error:
                raise refusal(answer)
            yield answer

    async def heard(self, lines: AsyncIterator[str]) -> AsyncGenerator[str]:
        """Yield the lines of a stream that is never silent for longer than a beat.

        A beat is missed where this process was there to hear it. One that stood still itself (its machine was moved, or
        short of memory) wakes with every limit passed and what the host said meanwhile unread: it reads that first, and
        does not tell the whole room that every host is away.

        Raises:
            HostSilentError: ``BEATS_MISSED`` beats one after the other were.
        """
        while True:
            coming = asyncio.ensure_future(anext(lines, None))
            try:
                for _ in range(BEATS_MISSED):
                    done, _ = await asyncio.wait([coming], timeout=rpc.HEARTBEAT_S)
                    if done:
                        break
                else:
                    raise HostSilentError(self.socket, f"no word for {BEATS_MISSED} beats")
            finally:
                if not coming.done():
                    coming.cancel()
                    await asyncio.wait([coming])
            line = coming.result()
            if line is None:
                return
            yield line

    @asynccontextmanager
    async def _passage(self, *, by_link: bool) -> AsyncIterator[None]:
        """Let one call through, and map what may go wrong on its way."""
        with self._mapped():
            if by_link:
                yield
                return
            self.refuse_if_shut()
            if len(self._calls) >= IN_FLIGHT_MAX:
                raise HostBusyError(self.socket)
            call = asyncio.timeout(None)
            self._calls.add(call)
            try:
                async with call:
                    yield
            except TimeoutError:
                if not call.expired():
                    raise
                self.refuse_if_shut()
                raise HostSilentError(self.socket, "it was silent") from None
            finally:
                self._calls.discard(call)

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except (httpx.ReadTimeout, httpx.ConnectTimeout, httpx.WriteTimeout) as error:
            raise HostSilentError(self.socket, type(error).__name__) from error
        except httpx.HTTPError as error:
            raise HostUnreachableError(self.socket, type(error).__name__) from error


def read(model: type[M], answer: httpx.Response) -> M:
    """Return the message in an answer.

    Raises:
        HostError: it is none: what answers is no host of ours, or has gone astray.
    """
    try:
        return model.model_validate_json(answer.content)
    except ValidationError as error:
        raise _garbled() from error


def read_as(shape: TypeAdapter[T], content: bytes | str) -> T:
    """Return what an answer or a line holds.

    Raises:
        HostError: as :func:`read`.
    """
    try:
        return shape.validate_json(content)
    except ValidationError as error:
        raise _garbled() from error


def refusal(answer: httpx.Response) -> HostError:
    """Return the error a host answered with."""
    try:
        problem = rpc.Problem.model_validate_json(answer.content)
    except ValidationError:
        problem = rpc.Problem(
            type="host.error", title=f"The camera host answered {answer.status_code}.", status=answer.status_code
        )
    return HostError(problem)


def _garbled() -> HostError:
    problem = rpc.Problem(
        type="host.garbled",
        title="The camera host answered something that its version does not say.",
        cure="Restart it; if that does not help, install gateway and hosts of one version.",
        status=502,
    )
    return HostError(problem)
