"""The composition root of the gateway process: everything is joined here, and leaving the stack is the shutdown."""

import asyncio
import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, cast

import structlog
import uvicorn
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from config.errors import BadValueError
from config.settings import Settings
from gateway.access.approvals import Act, Approvals
from gateway.access.decision import open_decider
from gateway.access.entrance import Entrance
from gateway.access.factors import Factors
from gateway.access.grants import Grants
from gateway.access.identity import SessionState
from gateway.access.listed import ListedSession
from gateway.access.oidc.service import open_oidc
from gateway.access.passwords import open_passwords
from gateway.access.people import People
from gateway.access.service import Access
from gateway.access.tickets import Tickets
from gateway.api import Rooms, create_api, deployment_photos, open_ledger
from gateway.api.middleware import AccessLog, BodyLimit, CertificateFromProxy, SecurityHeaders
from gateway.api.outside import kept_to_shares
from gateway.api.players import PlayerOrigins
from gateway.api.signalling import Signalling
from gateway.audit.events import Action, Actor, AuditEvent
from gateway.audit.keeping import open_keeping
from gateway.audit.key import load_seed
from gateway.audit.trail import Trail, open_trail
from gateway.certificate import TlsFiles, tls_files
from gateway.console import console_routes
from gateway.console.policy import INDEX, security_headers
from gateway.db.engine import Database, open_database, sqlite_url
from gateway.db.turns import by_turns
from gateway.deployments.stays import Stays
from gateway.fielded import House, open_fielded, photos_of, pictures_of
from gateway.fleet.changes import ListChanged
from gateway.fleet.links import HostPlace
from gateway.fleet.service import Fleet
from gateway.hosting import HostProcess, open_hosting, place_of
from gateway.shared import HostDoors, Recorder, ShareRights, kept_to_rights
from gateway.sharing import open_sharing
from gateway.startup import listen, prepare_data_dir
from gateway.stationed import Standings, open_stationed
from gateway.vault import KeyFile, Vault
from kernel.clock import NS_PER_S, Clock, every

log = structlog.get_logger()

SWEEP_SESSIONS_S = 5.0
SOCKET_PATH_MAX = 100
"""Unix socket paths end at 107 bytes; a longer data directory has its socket elsewhere."""
READY_WAIT_S = 60.0
"""Recording that has not begun by then does not keep the service from being ready."""
WS_MAX_BYTES = 16_384
DATABASE = "sightline.db"
TLS_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: authenticated, with forward secrecy. Those of TLS 1.3 all are."""
PROXIES = ("127.0.0.1", "::1")
"""Where a proxy in front may stand."""


class HostOpener(Protocol):
    """Runs a camera host inside this process; ``gateway.worker.open_host`` is one."""

    def __call__(self, settings: Settings, socket_path: Path, *, clock: Clock) -> AbstractAsyncContextManager[object]:
        """Give a host that answers on ``socket_path`` for the time of the block."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A gateway that runs."""

    url: str
    rooms: Rooms
    database: Database
    tls: TlsFiles | None
    setup_code: str | None
    """Makes the first administrator; ``None`` where there are users."""
    hosts: tuple[HostProcess, ...] = ()
    """The camera host processes that it keeps running itself."""

    @property
    def fleet(self) -> Fleet:
        """Return the fleet."""
        return self.rooms.fleet

    @property
    def trail(self) -> Trail:
        """Return the audit trail."""
        return self.rooms.trail


def database_url(settings: Settings) -> str:
    """Return the address of the database: the configured one, or the data directory's own."""
    return settings.server.database_url or sqlite_url(settings.server.data_dir / DATABASE)


def key_file(settings: Settings) -> KeyFile:
    """Return where the keys of stored secrets are, with the credential that systemd gave this process."""
    return KeyFile(settings.server.data_dir, credentials=os.environ.get("CREDENTIALS_DIRECTORY"))


@asynccontextmanager
async def open_gateway(settings: Settings, *, clock: Clock, open_host: HostOpener) -> AsyncIterator[Gateway]:
    """Run the gateway for the time of the block.

    Raises:
        StartError: the data directory, certificate or port cannot be used.
        BadValueError: the path of the camera hosts' sockets is too long, or a provider of accounts is set wrongly.
        DatabaseUnusableError: nor the database.
        KeyFileError: nor the keys of stored secrets.
        AuditKeyError: nor the key of the audit's checkpoints.
    """
    server = settings.server
    if _by_systemd(settings) and _too_long(settings):
        raise BadValueError(
            f"{settings.host_socket(0)} is too long for a Unix socket: {SOCKET_PATH_MAX} characters are the most.",
            cure="Set hosts.socket_dir to a shorter path, as in /run/sightline.",
        )
    async with AsyncExitStack() as stack:
        await asyncio.to_thread(prepare_data_dir, server.data_dir)
        credentials = os.environ.get("CREDENTIALS_DIRECTORY")
        vault = await asyncio.to_thread(Vault.of, key_file(settings))
        seed = await asyncio.to_thread(load_seed, server.data_dir, credentials=credentials)
        tls = None if server.plain_http else await asyncio.to_thread(tls_files, server, clock=clock)
        if tls is None and settings.outgoing.rtsps and settings.outgoing.tls_certificate is None:
            # The camera hosts' door is TLS though a proxy does it for ours.
            await asyncio.to_thread(tls_files, server, clock=clock)
        listening = stack.enter_context(contextlib.closing(await asyncio.to_thread(listen, server)))
        database = await stack.enter_async_context(open_database(database_url(settings)))
        trail = await stack.enter_async_context(open_trail(database, clock=clock))
        await stack.enter_async_context(
            open_keeping(trail, settings.audit, seed=seed, data_dir=server.data_dir, clock=clock)
        )
        places, hosts = await _open_hosts(stack, settings, clock=clock, open_host=open_host)
        deployments, fleet = await stack.enter_async_context(
            open_stationed(database, places, trail, settings=settings.deployments, clock=clock, vault=vault)
        )
        decider = await stack.enter_async_context(open_decider(database, Standings(fleet), clock=clock))
        stack.callback(fleet.listen(lambda change: decider.changed() if isinstance(change, ListChanged) else None))
        grants = Grants(database, decider, clock=clock, settings=settings.access)
        passwords = await open_passwords(settings.access)
        access = Access(database, clock=clock, settings=settings.access)
        tickets = Tickets(clock=clock)
        issuers = [provider.issuer for provider in settings.oidc]
        factors = Factors(
            database, clock=clock, settings=settings.access, vault=vault, tickets=tickets, issuers=issuers
        )
        entrance = Entrance(
            database,
            clock=clock,
            settings=settings.access,
            passwords=passwords,
            access=access,
            factors=factors,
            tickets=tickets,
        )
        people = People(database, clock=clock, settings=settings.access, passwords=passwords, access=access)
        oidc = await open_oidc(settings, database, clock=clock, access=access)
        sharing = await stack.enter_async_context(
            open_sharing(
                database,
                clock=clock,
                settings=settings.sharing,
                personal_days=settings.audit.personal_days,
                changed=decider.changed,
                vault=vault,
                door=HostDoors(fleet),
            )
        )
        decider.add_source(ShareRights(sharing))
        fielded = await stack.enter_async_context(
            open_fielded(settings, House(database, vault, fleet, deployments, trail, sharing), clock=clock)
        )
        # After all that gives rights: views that outlived a gateway are judged as soon as they are found.
        ledger = await stack.enter_async_context(
            open_ledger(trail, fleet, clock=clock, access=access, decider=decider, hosts_stay=_by_systemd(settings))
        )
        stack.callback(fleet.hear_viewers(ledger.heard))
        stack.enter_context(kept_to_shares(ledger, sharing))
        stack.callback(sharing.bell.listen(Recorder(trail, fleet).heard))
        stack.callback(access.when_ended(ledger.session_ended))
        stack.callback(access.when_state(ledger.session_turned))
        stack.callback(access.when_idle(lambda session: trail.note(_locked_by_itself(session))))
        stack.callback(access.when_crowded(lambda session: trail.note(_crowded_out(session))))
        stack.callback(decider.when_changed(ledger.rights_changed))
        await stack.enter_async_context(kept_to_rights(sharing, decider, access, clock=clock))
        await stack.enter_async_context(sweeping(access, clock=clock))
        rooms = Rooms(
            settings=settings,
            clock=clock,
            access=access,
            decider=decider,
            grants=grants,
            approvals=Approvals(clock=clock, acts=frozenset(map(Act, settings.access.two_people))),
            entrance=entrance,
            factors=factors,
            people=people,
            oidc=oidc,
            trail=trail,
            fleet=fleet,
            ledger=ledger,
            signalling=Signalling(settings.live, clock=clock),
            sharing=sharing,
            deployments=deployments,
            stays=Stays(database, clock=clock),
            photos=photos_of(settings),
            pictures=pictures_of(settings),
            ward=fielded.ward,
            days=fielded.days,
            passwords=fielded.passwords,
            units=fielded.units,
            commander=fielded.commander,
        )
        app = await asyncio.to_thread(build_app, rooms)
        await stack.enter_async_context(_serving(app, listening, settings, tls))
        code = await access.new_setup_code() if await access.setup_needed() else None
        url = _url(settings, listening)
        log.info("gateway.listening", url=url, hosts=len(places), cameras=len(fleet.cameras()))
        yield Gateway(url=url, rooms=rooms, database=database, tls=tls, setup_code=code, hosts=hosts)


def build_app(rooms: Rooms) -> ASGIApp:
    """Return the whole of what is served: API, console, and what stands around every request. Blocks."""
    settings = rooms.settings
    api = create_api(rooms, version=version("sightline"))
    api.router.routes.extend(console_routes(tiles_url=settings.map.tiles_url))
    headers = security_headers(INDEX.read_text(encoding="utf-8"), tiles_url=settings.map.tiles_url)
    larger = {deployment_photos.PATH: settings.deployments.photo_bytes}
    limited = BodyLimit(api, max_bytes=settings.server.max_body_bytes, larger=larger)
    dressed = SecurityHeaders(limited, headers=headers, secure=settings.server.behind_tls)
    shared = PlayerOrigins(dressed, origins=settings.live.player_origins)
    return AccessLog(shared, clock=rooms.clock)


async def _open_hosts(
    stack: AsyncExitStack, settings: Settings, *, clock: Clock, open_host: HostOpener
) -> tuple[list[HostPlace], tuple[HostProcess, ...]]:
    """Return where the camera hosts answer, and those that this process keeps running.

    With no workers one host runs in this process; with systemd as supervisor nothing is started.
    """
    if _too_long(settings):
        folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="sightline-")
        stack.push_async_callback(asyncio.to_thread, shutil.rmtree, folder, ignore_errors=True)
        hosts = settings.hosts.model_copy(update={"socket_dir": Path(folder)})
        settings = settings.model_copy(update={"hosts": hosts})
    processes: tuple[HostProcess, ...] = ()
    if not settings.hosts.workers:
        await stack.enter_async_context(open_host(settings, settings.host_socket(0), clock=clock))
    elif not _by_systemd(settings):
        processes = await stack.enter_async_context(open_hosting(settings, clock=clock))
    return [place_of(settings, index) for index in range(len(settings.owners))], processes


def _locked_by_itself(session: ListedSession) -> AuditEvent:
    """Return what is recorded of a console that locked because nobody touched it."""
    return AuditEvent(
        action=Action.SESSION_LOCKED,
        actor=Actor(id=session.user_id, name=session.username, address=session.address),
        subject=session.user_id,
        details={"state": SessionState.LOCKED.value, "how": "idle"},
    )


def _crowded_out(session: ListedSession) -> AuditEvent:
    """Return what is recorded of a session that ended because its user has too many."""
    return AuditEvent(
        action=Action.SESSION_ENDED,
        actor=Actor(id=session.user_id, name=session.username, address=session.address),
        subject=session.user_id,
        details={"session": session.id, "reason": "too many sessions of one person"},
    )


def _by_systemd(settings: Settings) -> bool:
    return bool(settings.hosts.workers) and settings.hosts.supervisor == "systemd"


def _too_long(settings: Settings) -> bool:
    return len(str(settings.host_socket(0))) > SOCKET_PATH_MAX


@asynccontextmanager
async def sweeping(access: Access, *, clock: Clock) -> AsyncIterator[None]:
    """End sessions past their time; with a failing database at a later turn."""
    async with asyncio.TaskGroup() as tasks:
        turns = by_turns(access.end_expired, clock=clock, period_s=SWEEP_SESSIONS_S, failed="sessions.sweep_failed")
        sweeper = tasks.create_task(turns, name="sessions")
        try:
            yield
        finally:
            sweeper.cancel()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to whoever owns the process."""
        yield


@asynccontextmanager
async def _serving(
    app: ASGIApp, listening: socket.socket, settings: Settings, tls: TlsFiles | None
) -> AsyncIterator[None]:
    """Answer on the socket; on leaving, open requests get their time to end."""
    behind_proxy = bool(settings.server.public_urls)
    if behind_proxy:
        # Outermost: who a header may be believed from is seen only before the proxy's word for the client is taken.
        told: Any = ProxyHeadersMiddleware(cast("Any", app), trusted_hosts=list(PROXIES))
        app = CertificateFromProxy(told, header=settings.sharing.certificate_header, proxies=PROXIES)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,
        ws_max_size=WS_MAX_BYTES,
        timeout_graceful_shutdown=max(1, round(settings.server.shutdown_s)),
        ssl_certfile=str(tls.certificate) if tls is not None else None,
        ssl_keyfile=str(tls.key) if tls is not None else None,
        ssl_ciphers=TLS_CIPHERS,
    )
    server = _Server(config)
    await asyncio.to_thread(config.load)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listening]), name="https")
        try:
            yield
        finally:
            server.should_exit = True


def _url(settings: Settings, listening: socket.socket) -> str:
    if settings.server.public_urls:
        return settings.server.public_urls[0]
    host = settings.server.host
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - compared with, not bound
        host = socket.gethostname()
    scheme = "http" if settings.server.plain_http else "https"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"


async def when_settled(fleet: Fleet, *, clock: Clock, told: Callable[[], None]) -> None:
    """Call ``told`` once recording runs: every host is linked, every camera records or is known to be out of reach.

    After ``READY_WAIT_S`` it is told all the same, with a warning: dead cameras must not restart the gateway for ever.
    """
    until_ns = clock.monotonic_ns() + round(READY_WAIT_S * NS_PER_S)
    async with every(clock, 0.2) as ticks:
        async for _ in ticks:
            late = clock.monotonic_ns() >= until_ns
            if not fleet.settled and not late:
                continue
            if not fleet.settled:
                log.warning("gateway.ready_without_all", waited_s=READY_WAIT_S)
            told()
            return
