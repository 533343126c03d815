"""Certificates: issued for a label, revoked, listed for the broker, renewed before their end."""

import asyncio
import ssl
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.units import Link
from gateway.units.authority import CRL_DAYS, RENEW_DAYS, UNIT_DAYS, Authority, Issued, Revoked
from gateway.units.credentials import OURSELVES, Pair
from gateway.units.errors import UnlistedError
from gateway.units.files import OPEN, write_whole
from gateway.units.service import LIST_EVERY_S, UPKEEP_EVERY_S
from gateway.vault import Key, SealedElsewhereError
from kernel.clock import NS_PER_S, SystemClock
from tests.fakes.clock import ManualClock
from tests.fakes.keys import Memory
from tests.fakes.unit_voice import enrolled, unit_room
from tests.fakes.waiting import told, until


def openssl(folder: Path, issued: Issued, authority: Authority, purpose: str, crl: str) -> str:
    """Return what OpenSSL says of a certificate: somebody else's judgement."""
    for name, pem in (("ca", authority.certificate), ("one", issued.certificate), ("crl", crl)):
        (folder / f"{name}.pem").write_text(pem)
    parts = ["openssl", "verify", "-x509_strict", "-crl_check", "-purpose", purpose]
    files = ["-CAfile", f"{folder}/ca.pem", "-CRLfile", f"{folder}/crl.pem", f"{folder}/one.pem"]
    done = subprocess.run([*parts, *files], check=False, capture_output=True, text=True)
    return done.stdout + done.stderr


def test_openssl_takes_what_is_issued_for_its_purpose_alone(tmp_path: Path) -> None:
    """A unit's certificate is a client's, a broker's a server's; a revoked one is neither."""
    authority = Authority.new(clock=SystemClock())  # OpenSSL judges by the real time
    unit, broker = authority.issue_client("D017"), authority.issue_server(["127.0.0.1", "broker.example"])
    empty = authority.crl([])
    assert "one.pem: OK" in openssl(tmp_path, unit, authority, "sslclient", empty)
    assert "one.pem: OK" in openssl(tmp_path, broker, authority, "sslserver", empty)
    for issued, purpose in ((unit, "sslserver"), (broker, "sslclient")):
        assert "purpose" in openssl(tmp_path, issued, authority, purpose, empty)
    revoked = authority.crl([Revoked(unit.serial, unit.issued_ns)])
    assert "certificate revoked" in openssl(tmp_path, unit, authority, "sslclient", revoked)


def test_a_certificate_names_its_unit_and_ends(clock: ManualClock) -> None:
    """By its common name; it is no authority itself."""
    issued = Authority.new(clock=clock).issue_client("D017")
    read = x509.load_pem_x509_certificate(issued.certificate.encode())
    assert [one.value for one in read.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["D017"]
    usage = read.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not read.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert (read.not_valid_after_utc - read.not_valid_before_utc).days == UNIT_DAYS


async def test_the_authority_outlives_a_restart_sealed(tmp_path: Path, clock: ManualClock) -> None:
    """It is the same with the same keys; without them nobody is it."""
    keys = Memory(Key.new())
    async with unit_room(tmp_path, clock, keys=keys) as units:
        first = units.credentials.authority
        await enrolled(units)
    async with unit_room(tmp_path, clock, keys=keys) as units:
        assert units.credentials.authority == first
        assert units.credentials.good("D017")
    assert b"PRIVATE KEY" not in await asyncio.to_thread((tmp_path / "units.db").read_bytes)
    with pytest.raises(SealedElsewhereError):
        async with unit_room(tmp_path, clock):
            pass


async def test_a_revoked_certificate_is_on_the_brokers_list(tmp_path: Path, clock: ManualClock) -> None:
    """At once, and after a restart; one of several can be revoked alone."""
    keys = Memory(Key.new())
    async with unit_room(tmp_path, clock, keys=keys) as units:
        await units.register.enrol("D017")
        first, second = await units.credentials.issue("D017"), await units.credentials.issue("D017")
        await units.credentials.revoke("D017", [first.serial])
        assert await listed(units.credentials.crl_file) == {first.serial}
        assert units.credentials.good("D017")
        assert not units.credentials.is_good("D017", first.serial)
        assert units.credentials.is_good("D017", second.serial)
        assert not units.credentials.is_good("D018", second.serial)
    await asyncio.to_thread((tmp_path / "pki" / "units.crl").unlink)
    async with unit_room(tmp_path, clock, keys=keys) as units:
        assert await listed(units.credentials.crl_file) == {first.serial}


async def test_the_brokers_list_stays_fresh(tmp_path: Path, clock: ManualClock) -> None:
    """It is written again long before a broker would take it no more."""
    async with unit_room(tmp_path, clock) as units:
        before = await crl(units.credentials.crl_file)
        await clock.turn(2 * 3_600)
        now = await told(
            lambda: crl(units.credentials.crl_file), lambda one: one.last_update_utc > before.last_update_utc
        )
        assert now.next_update_utc is not None
        assert (now.next_update_utc - now.last_update_utc).days == CRL_DAYS


async def test_renewal_is_due_before_the_end(tmp_path: Path, clock: ManualClock) -> None:
    """A unit's last certificate counts; one that has ended lets nobody in."""
    async with unit_room(tmp_path, clock) as units:
        await enrolled(units)
        assert units.credentials.due() == []
        clock.jump_wall((UNIT_DAYS - RENEW_DAYS) * 86_400)
        assert units.credentials.due() == ["D017"]
        await units.credentials.issue("D017")
        assert units.credentials.due() == []
        clock.jump_wall((UNIT_DAYS + 1) * 86_400)
        assert not units.credentials.good("D017")


async def test_whom_people_ended_nothing_runs_out_of(tmp_path: Path, clock: ManualClock) -> None:
    """An older certificate that had ended by itself is not to be renewed once the one after it is revoked."""
    async with unit_room(tmp_path, clock) as units:
        credentials = units.credentials
        assert (credentials.ended("D017"), credentials.runs_out_ns("D017")) == (False, None)
        await enrolled(units)
        clock.jump_wall(300 * 86_400)
        await credentials.issue("D017")
        older, newer = credentials.of("D017")
        assert (credentials.ended("D017"), credentials.runs_out_ns("D017")) == (False, newer.expires_ns)
        await credentials.revoke("D017", [newer.serial])
        assert (credentials.ended("D017"), credentials.runs_out_ns("D017")) == (False, older.expires_ns)
        clock.jump_wall(300 * 86_400)
        assert (credentials.ended("D017"), credentials.runs_out_ns("D017")) == (True, None)
        assert credentials.due() == []


async def test_our_own_certificate_is_kept_and_made_anew_when_due(tmp_path: Path, clock: ManualClock) -> None:
    """Its key is readable by us alone, and no unit can be called as we are."""
    async with unit_room(tmp_path, clock) as units:
        pair = await units.credentials.ourselves()
        first = await asyncio.to_thread(pair.certificate.read_text)
        assert OURSELVES in x509.load_pem_x509_certificate(first.encode()).subject.rfc4514_string()
        assert (await asyncio.to_thread(pair.key.stat)).st_mode & 0o777 == 0o600
        await units.credentials.ourselves()
        assert await asyncio.to_thread(pair.certificate.read_text) == first
        clock.jump_wall((UNIT_DAYS - RENEW_DAYS) * 86_400)
        await units.credentials.ourselves()
        assert await asyncio.to_thread(pair.certificate.read_text) != first


def shown(client: ssl.SSLContext, server: ssl.SSLContext) -> dict[str, Any]:
    """Return the certificate that a client shows to a server, which has checked it."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = client.wrap_bio(down, up, server_hostname="127.0.0.1"), server.wrap_bio(up, down, server_side=True)
    for one in (*ends, *ends):
        with suppress(ssl.SSLWantReadError):
            one.do_handshake()
    return dict(ends[1].getpeercert() or {})


async def test_a_stand_in_bears_the_units_name_for_some_minutes(tmp_path: Path) -> None:
    """It is on no list, so that nothing is taken by it here; and its key is gone after."""
    clock = SystemClock()  # TLS judges by the real time
    async with unit_room(tmp_path, clock) as units:
        await units.register.enrol("D017")
        pair = await units.credentials.broker(["127.0.0.1"])
        server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=units.credentials.authority)
        server.verify_mode = ssl.CERT_REQUIRED
        await asyncio.to_thread(server.load_cert_chain, pair.certificate, pair.key)
        read = await asyncio.to_thread(shown, await units.credentials.stand_in("D017"), server)
        assert read["subject"] == ((("commonName", "D017"),),)
        assert ssl.cert_time_to_seconds(read["notAfter"]) - clock.wall_ns() / NS_PER_S <= 300
        assert units.credentials.of("D017") == []
        folder = units.credentials.ca_file.parent
        assert await asyncio.to_thread(lambda: list(folder.glob(".stand-in*"))) == []


async def test_who_is_revoked_is_told(tmp_path: Path, clock: ManualClock) -> None:
    """To whoever sees units out: once for what was good, and not for what was revoked before."""
    async with unit_room(tmp_path, clock) as units:
        await enrolled(units)
        told: list[str] = []
        leave = units.credentials.when_revoked(told.append)
        (known,) = units.credentials.of("D017")
        assert units.credentials.ends_ns("D017") == known.expires_ns
        await units.credentials.revoke("D017")
        await units.credentials.revoke("D017")
        assert told == ["D017"]
        assert units.credentials.ends_ns("D017") is None
        leave()


async def test_a_revocation_counts_though_the_brokers_list_cannot_be_written(
    tmp_path: Path, clock: ManualClock
) -> None:
    """Whoever sees units out is told, the error says what was revoked, and the list is written once it can be."""
    async with unit_room(tmp_path, clock) as units:
        await enrolled(units)
        (known,) = units.credentials.of("D017")
        told: list[str] = []
        units.credentials.when_revoked(told.append)
        folder = units.credentials.crl_file.parent
        # What keeps it up writes a first list as it starts, in a thread that makes the folder where there is none.
        await until(lambda: clock.sleeps_for(UPKEEP_EVERY_S), what="the first list")
        await asyncio.to_thread(folder.rename, tmp_path / "away")
        await asyncio.to_thread(folder.write_text, "no folder")
        with pytest.raises(UnlistedError) as caught:
            await units.credentials.revoke("D017")
        assert (caught.value.serials, told) == ((known.serial,), ["D017"])
        assert not units.credentials.good("D017")
        with pytest.raises(UnlistedError) as caught:
            await units.register.retire("D017")
        assert (caught.value.serials, units.register.link("D017")) == ((), Link.RETIRED)
        await clock.turn(LIST_EVERY_S)
        await until(lambda: clock.sleeps_for(LIST_EVERY_S), what="another try to have failed")
        assert units.credentials.unlisted
        async with units.credentials._lock:
            await asyncio.to_thread(folder.unlink)
            await asyncio.to_thread((tmp_path / "away").rename, folder)
        await clock.turn(LIST_EVERY_S)
        await until(lambda: not units.credentials.unlisted, what="the list")
        assert await listed(units.credentials.crl_file) == {known.serial}


def test_a_file_that_cannot_be_put_in_place_leaves_nothing(tmp_path: Path) -> None:
    """On a full disk what was begun would take the room that is left, once for each try."""
    (tmp_path / "units.crl" / "in the way").mkdir(parents=True)
    with pytest.raises(OSError, match=r"units\.crl"):
        write_whole(tmp_path / "units.crl", "list", OPEN)
    assert [one.name for one in tmp_path.iterdir()] == ["units.crl"]


async def test_the_brokers_certificate_follows_its_names(tmp_path: Path, clock: ManualClock) -> None:
    """It is made anew where units come by another name, and kept where they do not; its group may read the key."""
    async with unit_room(tmp_path, clock) as units:
        pair = await units.credentials.broker(["broker.example", "127.0.0.1"])
        first = await asyncio.to_thread(pair.certificate.read_text)
        await units.credentials.broker(["127.0.0.1", "broker.example"])
        assert await asyncio.to_thread(pair.certificate.read_text) == first
        await units.credentials.broker(["broker.example"])
        assert await asyncio.to_thread(pair.certificate.read_text) != first
        assert (await asyncio.to_thread(pair.key.stat)).st_mode & 0o777 == 0o640


async def test_the_brokers_certificate_is_renewed_while_we_run(tmp_path: Path, clock: ManualClock) -> None:
    """Before its end, without a start of the gateway; whoever shows it is told, with both files in place."""
    async with unit_room(tmp_path, clock) as units:
        pair = await units.credentials.broker(["127.0.0.1"])
        first = await asyncio.to_thread(pair.certificate.read_text)
        renewed: list[str] = []

        async def read(now: Pair) -> None:
            await asyncio.to_thread(ssl.create_default_context().load_cert_chain, now.certificate, now.key)
            renewed.append(await asyncio.to_thread(now.certificate.read_text))

        leave = units.credentials.when_renewed(read)
        await units.credentials.renew_broker()
        assert renewed == []
        clock.jump_wall((UNIT_DAYS - RENEW_DAYS) * 86_400)
        await clock.turn(3_600)
        await until(lambda: len(renewed) == 1, what="the new certificate")
        assert renewed[0] != first
        await asyncio.gather(units.credentials.renew_broker(), units.credentials.renew_broker())
        assert len(renewed) == 1
        leave()


async def crl(path: Path) -> x509.CertificateRevocationList:
    """Return the list that is there."""
    return x509.load_pem_x509_crl(await asyncio.to_thread(path.read_bytes))


async def listed(path: Path) -> set[str]:
    """Return what the list holds."""
    return {f"{one.serial_number:x}" for one in await crl(path)}


async def test_a_stand_in_that_is_broken_off_leaves_no_key(tmp_path: Path, clock: ManualClock) -> None:
    """Told to end while its key is being written, it leaves the folder as it was."""
    async with unit_room(tmp_path, clock) as units:
        await enrolled(units)
        folder = units.credentials.ca_file.parent

        async def files() -> list[str]:
            # The list of revoked certificates is written anew meanwhile, beside itself.
            names = await asyncio.to_thread(lambda: sorted(one.name for one in folder.rglob("*")))
            return [name for name in names if not name.startswith(".units.crl.")]

        before = await files()
        for _ in range(5):
            asking = asyncio.create_task(units.credentials.stand_in("D017"))
            while not asking.done() and await files() == before:
                pass
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await told(files, lambda found: found == before, what="the key to be gone")
