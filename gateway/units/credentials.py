"""Certificates of units, of ourselves and of the broker; and the files by which a broker knows them.

In the folder: ``units-ca.pem``, ``units.crl``, and pairs ``NAME.pem`` and ``NAME.key``. A file is never half written.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from gateway.db.engine import Database
from gateway.db.units import AuthorityRow, CertificateRow, UnitRows
from gateway.listeners import Listeners
from gateway.mqtt import client_tls
from gateway.units.authority import Authority, Issued, Revoked, due, ends, hosts_of
from gateway.units.errors import UnlistedError
from gateway.units.files import OPEN, SECRET, SHARED, write_whole
from gateway.vault import Vault
from kernel.clock import Clock
from kernel.ids import new_id

log = structlog.get_logger()

CONTEXT = "unit-authority:"
OURSELVES = "sightline.gateway"
"""Our own name at the broker. No unit's label holds a dot."""
OUTWARD = "sightline.outward"
"""The name under which other systems are told."""
BROKER = "broker"
CA_FILE = "units-ca.pem"
CRL_FILE = "units.crl"
STAND_IN_LIFE = timedelta(minutes=5)


def reader(name: str) -> str:
    """Return by what name a system comes to the broker that only reads there."""
    return f"reader.{name}"


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key on disk."""

    certificate: Path
    key: Path


class Credentials:
    """Made by :func:`open_credentials`."""

    def __init__(self, database: Database, authority: Authority, folder: Path, *, clock: Clock) -> None:
        self._database = database
        self._authority = authority
        self._folder = folder
        self._clock = clock
        self._of: dict[str, dict[str, CertificateRow]] = {}  # by unit and serial
        self._lock = asyncio.Lock()
        self._pairs = asyncio.Lock()
        self._when_revoked: Listeners[[str]] = Listeners("unit.revocation_untold")
        self._when_renewed: list[Callable[[Pair], Awaitable[None]]] = []
        self._hosts: tuple[str, ...] = ()
        """Where the broker is, once it was given a certificate."""
        self.broker_ends_ns: int | None = None
        """When the certificate ends that the broker shows, as it was last seen; ``None`` before that."""
        self.unlisted = False
        """Whether the list of revoked certificates on disk is not what it should be: it could not be written."""

    def when_revoked(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Call ``callback`` on the event loop with whose certificates were revoked; return what ends that."""
        return self._when_revoked.add(callback)

    def when_renewed(self, callback: Callable[[Pair], Awaitable[None]]) -> Callable[[], None]:
        """Await ``callback`` with each new certificate of the broker; return what ends that."""
        self._when_renewed.append(callback)
        return lambda: self._when_renewed.remove(callback)

    def broker_shows(self, ends_ns: int) -> None:
        """Take in when the certificate ends that the broker was seen to show. 0 where it has."""
        self.broker_ends_ns = ends_ns

    @property
    def authority(self) -> str:
        """Return the authority's own certificate. PEM."""
        return self._authority.certificate

    @property
    def ca_file(self) -> Path:
        """Return where the authority's certificate lies."""
        return self._folder / CA_FILE

    @property
    def crl_file(self) -> Path:
        """Return where the list of revoked certificates lies."""
        return self._folder / CRL_FILE

    async def load(self) -> None:
        """Read what was issued, and write the authority's files anew."""
        async with self._database.read() as connection:
            for row in await UnitRows(connection).certificates():
                self._keep(row)
        await asyncio.to_thread(write_whole, self.ca_file, self._authority.certificate, OPEN)
        await self.write_crl()

    def _keep(self, row: CertificateRow) -> None:
        self._of.setdefault(row.label, {})[row.serial] = row

    def of(self, label: str) -> list[CertificateRow]:
        """Return what was issued to a unit, in that order."""
        return list(self._of.get(label, {}).values())

    def good(self, label: str) -> bool:
        """Return whether a unit has a certificate that is neither revoked nor past its end."""
        now_ns = self._clock.wall_ns()
        return any(row.revoked_ns is None and row.expires_ns > now_ns for row in self._of.get(label, {}).values())

    def is_good(self, label: str, serial: str) -> bool:
        """Return whether a certificate is a unit's, and neither revoked nor past its end. ``serial`` in hex."""
        row = self._of.get(label, {}).get(serial)
        return row is not None and row.revoked_ns is None and row.expires_ns > self._clock.wall_ns()

    def ends_ns(self, label: str) -> int | None:
        """Return when the last of a unit's certificates ends that are good; ``None`` where none is."""
        good = [row.expires_ns for row in self.of(label) if self.is_good(label, row.serial)]
        return max(good, default=None)

    def runs_out_ns(self, label: str) -> int | None:
        """Return when the last of a unit's certificates runs out by itself, or did; ``None`` where people ended it.

        They did where none is good, and what would have lasted the longest was revoked: that an older one had run out
        before is no omission of ours. Nor does one run out that was never issued.
        """
        issued = self.of(label)
        ends_ns = max((row.expires_ns for row in issued if row.revoked_ns is None), default=None)
        if ends_ns is not None and ends_ns <= self._clock.wall_ns():
            return ends_ns if ends_ns >= max(row.expires_ns for row in issued) else None
        return ends_ns

    def ended(self, label: str) -> bool:
        """Return whether people ended a unit, by revoking what was good of its certificates."""
        return bool(self.of(label)) and self.runs_out_ns(label) is None

    def due(self) -> list[str]:
        """Return the units whose last certificate is to be renewed."""
        ends = {label: self.runs_out_ns(label) for label in self._of}
        return sorted(label for label, ends_ns in ends.items() if ends_ns is not None and due(ends_ns, self._clock))

    async def issue(self, label: str) -> Issued:
        """Make a unit a certificate; those it has go on until they are revoked or end. Its key is kept nowhere."""
        issued = await asyncio.to_thread(self._authority.issue_client, label)
        row = CertificateRow(
            serial=issued.serial,
            label=label,
            fingerprint=issued.fingerprint,
            issued_ns=issued.issued_ns,
            expires_ns=issued.expires_ns,
        )
        async with self._lock, self._database.write() as connection:
            await UnitRows(connection).add_certificate(row)
        self._keep(row)
        log.info("unit.certificate_issued", unit=label, serial=row.serial)
        return issued

    async def revoke(self, label: str, serials: Sequence[str] | None = None) -> list[CertificateRow]:
        """Revoke certificates of a unit, or all of them; return which. The broker's list is written anew.

        Whoever sees units out is told before that, and whether it succeeds or not: what is revoked is revoked.

        Raises:
            UnlistedError: the list could not be written. All else is done.
        """
        now_ns = self._clock.wall_ns()
        async with self._lock:
            good = [row for row in self.of(label) if row.revoked_ns is None]
            gone = [replace(row, revoked_ns=now_ns) for row in good if serials is None or row.serial in serials]
            async with self._database.write() as connection:
                await UnitRows(connection).revoke([row.serial for row in gone], now_ns)
            for row in gone:
                self._keep(row)
        log.info("unit.certificates_revoked", unit=label, count=len(gone))
        if gone:
            self._when_revoked.tell(label)
        try:
            await self.write_crl()
        except OSError as error:
            log.error("units.list_unwritten", unit=label, error=str(error))  # noqa: TRY400 - a plain reason
            raise UnlistedError(label, [row.serial for row in gone], error) from error
        return gone

    async def write_crl(self) -> None:
        """Write the list of revoked certificates; a broker takes none that is too old.

        Raises:
            OSError: it cannot be written.
        """
        async with self._lock:
            rows = [row for label in self._of for row in self.of(label)]
            revoked = [Revoked(row.serial, row.revoked_ns) for row in rows if row.revoked_ns is not None]
            self.unlisted = True
            await asyncio.to_thread(lambda: write_whole(self.crl_file, self._authority.crl(revoked), OPEN))
            self.unlisted = False

    async def ourselves(self) -> Pair:
        """Return our own certificate at the broker, made anew where it is due."""
        return await self.client(OURSELVES)

    async def client(self, name: str) -> Pair:
        """Return the certificate of one at the broker who is no unit, made anew where it is due."""
        assert "." in name, "a name without a dot may be a unit's"
        pair, _ = await self._one(name, None)
        return pair

    async def broker(self, hosts: Sequence[str]) -> Pair:
        """Return a certificate for a broker at ``hosts``, made anew where it is due; from then on it is kept so."""
        self._hosts = tuple(hosts)
        pair, _ = await self._one(BROKER, self._hosts)
        return pair

    async def renew_broker(self) -> None:
        """Make the broker's certificate anew where it is due, and tell whoever shows it.

        Raises:
            OSError: it cannot be written.
        """
        if not self._hosts:
            return
        pair, anew = await self._one(BROKER, self._hosts)
        if anew:
            log.info("telemetry.broker_certificate_renewed", file=str(pair.certificate))
            for callback in list(self._when_renewed):
                await callback(pair)

    async def stand_in(self, label: str, *, ca: Path | None = None) -> ssl.SSLContext:
        """Return what a client shows that takes a unit's place at a broker for which ``ca`` vouches, or ours.

        It is not listed, nothing is taken by it here, and it is good for some minutes. TLS reads keys from files alone:
        this one's is there and gone within one call in a thread, which no cancellation breaks off half-way.
        """
        return await asyncio.to_thread(self._stand_in, label, ca or self.ca_file)

    def _stand_in(self, label: str, ca: Path) -> ssl.SSLContext:
        issued = self._authority.issue_client(label, life=STAND_IN_LIFE)
        with TemporaryDirectory(prefix=".stand-in-", dir=self._folder) as folder:
            pair = Pair(Path(folder, "unit.pem"), Path(folder, "unit.key"))
            write_whole(pair.key, issued.key, SECRET)
            write_whole(pair.certificate, issued.certificate, SECRET)
            return client_tls(ca, certificate=pair.certificate, key=pair.key)

    async def _one(self, name: str, hosts: tuple[str, ...] | None) -> tuple[Pair, bool]:
        async with self._pairs:  # of two who make it at once the one's key would lie beside the other's certificate
            return await asyncio.to_thread(self._pair, name, hosts)

    def _pair(self, name: str, hosts: tuple[str, ...] | None) -> tuple[Pair, bool]:
        """Return a pair, and whether it was made just now."""
        pair = Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        if pair.certificate.exists() and pair.key.exists():
            own, _, authority = pair.certificate.read_text().partition("\n\n")
            same = authority == self._authority.certificate and hosts_of(own) == set(hosts or ())
            if same and not due(ends(own), self._clock):
                return pair, False
        issued = self._authority.issue_client(name) if hosts is None else self._authority.issue_server(hosts)
        write_whole(pair.key, issued.key, SECRET if hosts is None else SHARED)
        write_whole(pair.certificate, f"{issued.certificate}\n{self._authority.certificate}", OPEN)
        return pair, True


async def open_credentials(database: Database, vault: Vault, folder: Path, *, clock: Clock) -> Credentials:
    """Return the certificates, with the authority that is there or a new one.

    Raises:
        SealedElsewhereError: the authority's key opens with none of our keys.
    """
    async with database.read() as connection:
        row = await UnitRows(connection).authority()
    if row is None:
        authority = await asyncio.to_thread(lambda: Authority.new(clock=clock))
        made = new_id()
        async with database.write() as connection:
            sealer = await vault.sealer(connection)
            await UnitRows(connection).add_authority(
                AuthorityRow(
                    id=made,
                    certificate=authority.certificate,
                    key_sealed=sealer.seal(authority.key, context=f"{CONTEXT}{made}"),
                    created_ns=clock.wall_ns(),
                )
            )
    else:
        key = await vault.open(row.key_sealed, context=f"{CONTEXT}{row.id}")
        authority = Authority.of(row.certificate, key, clock=clock)
    credentials = Credentials(database, authority, folder, clock=clock)
    await credentials.load()
    return credentials
