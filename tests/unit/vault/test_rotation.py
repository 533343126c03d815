"""A rotation seals everything anew, survives its own death at any moment, and disturbs nobody who works meanwhile."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr
from sqlalchemy import LargeBinary, select, update

from drivers.model import CameraTarget, Credentials
from gateway.db.engine import Database, open_database, sqlite_url
from gateway.db.factors import FactorRows, TotpRow
from gateway.db.sealed import SEALED
from gateway.db.tables import devices, metadata
from gateway.db.users import UserRow, Users
from gateway.fleet.cameras import CameraFacts
from gateway.fleet.register import Register
from gateway.vault import Key, KeyFile, KeyFileError, Ring, SealedElsewhereError, Vault
from gateway.vault.rotation import rotate, status
from tests.fakes.clock import ManualClock
from tests.fakes.descriptions import description
from tests.fakes.keys import Memory
from tests.fakes.rotating_child import MOMENTS

UNITS = ("a", "b", "c")
ROOT = Path(__file__).parents[3]


def target(password: str) -> CameraTarget:
    """Return a device with a password."""
    return CameraTarget(address="192.0.2.1", credentials=Credentials(username="root", password=SecretStr(password)))


class Site:
    """A data directory with a database of three devices, and the register of a gateway that goes on."""

    def __init__(self, path: Path, database: Database, clock: ManualClock) -> None:
        self.keys = KeyFile(path, credentials=None)
        self.database = database
        self.clock = clock
        self.running = self._register()

    async def ring(self) -> Ring:
        """Return the keys that lie in the file."""
        return await asyncio.to_thread(self.keys.load)

    async def register(self) -> Register:
        """Return the register of a gateway that starts now."""
        return await asyncio.to_thread(self._register)

    def _register(self) -> Register:
        return Register(self.database, clock=self.clock, vault=Vault.of(self.keys))

    async def passwords(self, register: Register) -> set[str]:
        """Return what a gateway opens."""
        found = await register.targets()
        return {
            known.credentials.password.get_secret_value() for known in found.values() if isinstance(known, CameraTarget)
        }

    async def sealed(self) -> list[bytes]:
        """Return what is stored."""
        async with self.database.read() as connection:
            return list((await connection.execute(select(devices.c.password_sealed))).scalars())


@pytest_asyncio.fixture
async def site(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Site]:
    """Return a site with three devices."""
    async with open_database(sqlite_url(tmp_path / "a.db")) as database:
        site = await asyncio.to_thread(Site, tmp_path, database, clock)
        for urn in UNITS:
            await site.running.store(target(f"secret of {urn}"), description(urn), CameraFacts(), host=0)
        yield site


ALL = {f"secret of {urn}" for urn in UNITS}


def test_every_sealed_column_is_rotated() -> None:
    """A binary column whose name ends in _sealed is one of those that a change of keys seals anew."""
    named = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary) and column.name.endswith("_sealed")
    }
    assert named == {where.name for where in SEALED}
    assert named


async def test_a_rotation_leaves_one_new_key(site: Site) -> None:
    """Everything is sealed by it, and the old one opens nothing any more."""
    before = await site.ring()
    done = await rotate(site.database, site.keys)
    after = await site.ring()
    assert (done.sealed_anew, done.dropped, done.resumed, done.lost) == (3, 1, False, ())
    assert after.whole
    assert after.current != before.current
    assert all(after.is_current(text) for text in await site.sealed())
    assert await site.passwords(await site.register()) == ALL
    with pytest.raises(SealedElsewhereError):
        before.open((await site.sealed())[0], context="a")


async def test_the_secret_of_an_authenticator_is_sealed_anew(site: Site) -> None:
    """Bound to its own place, as before: it opens there, and nowhere else."""
    code = "JBSWY3DPEHPK3PXP"
    vault = await asyncio.to_thread(Vault.of, site.keys)
    async with site.database.write() as connection:
        user = UserRow(
            id="u1", username="ann", name="Ann", role="operator", password_hash="!", disabled=False, created_ns=1
        )
        await Users(connection).add(user)
        sealed = (await vault.sealer(connection)).seal(code, context="totp:u1")
        await FactorRows(connection).put_totp(TotpRow(user_id="u1", secret_sealed=sealed, created_ns=1, used_step=0))
    assert (await rotate(site.database, site.keys)).sealed_anew == 4
    async with site.database.read() as connection:
        row = await FactorRows(connection).totp("u1")
    assert row is not None
    assert (await site.ring()).is_current(row.secret_sealed)
    assert await vault.open(row.secret_sealed, context="totp:u1") == code
    with pytest.raises(SealedElsewhereError):
        await vault.open(row.secret_sealed, context="totp:u2")


async def test_a_running_gateway_opens_and_seals_across_rotations(site: Site) -> None:
    """It learns of the new key where it meets it: what it reads opens, what it stores is sealed by the new one."""
    await rotate(site.database, site.keys)
    assert await site.passwords(site.running) == ALL
    await rotate(site.database, site.keys)
    await site.running.store(target("fresh"), description("d"), CameraFacts(), host=0)
    ring = await site.ring()
    assert all(ring.is_current(text) for text in await site.sealed())
    assert await site.passwords(site.running) == ALL | {"fresh"}


async def test_enrolling_while_keys_change_loses_no_password(site: Site) -> None:
    """However enrolments and rotations fall together."""

    async def enrol() -> None:
        for number in range(12):
            await site.running.store(target(f"{number}"), description(f"new {number}"), CameraFacts(), host=0)

    async def keep_rotating() -> None:
        for _ in range(6):
            await rotate(site.database, site.keys)

    await asyncio.gather(enrol(), keep_rotating())
    ring = await site.ring()
    assert all(ring.is_current(text) for text in await site.sealed())
    assert await site.passwords(await site.register()) == ALL | {str(number) for number in range(12)}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_killed_rotation_loses_nothing_and_is_finished_later(site: Site, tmp_path: Path, moment: str) -> None:
    """At whatever moment it dies everything opens, for who runs and who starts; asked again, it finishes."""
    before = await site.ring()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.rotating_child", str(tmp_path), str(tmp_path / "a.db"), moment,
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert await child.wait() == (0 if moment == "never" else -signal.SIGKILL)
    assert await site.passwords(site.running) == ALL
    assert await site.passwords(await site.register()) == ALL
    done = await rotate(site.database, site.keys)
    assert done.resumed == (moment not in {"never", "before the new key"})
    after = await site.ring()
    assert after.whole
    assert before.current not in after.keys
    assert all(after.is_current(text) for text in await site.sealed())
    assert await site.passwords(site.running) == ALL


async def test_what_no_key_opens_is_told_and_kept(site: Site) -> None:
    """It does not keep the others from being sealed anew."""
    async with site.database.write() as connection:
        foreign = Key(b"x" * 32).encrypt(b"whose?", context=b"b")
        await connection.execute(update(devices).where(devices.c.urn == "b").values(password_sealed=foreign))
    done = await rotate(site.database, site.keys)
    assert done.sealed_anew == 2
    assert [where.partition(" ")[0] for where in done.lost] == ["devices.password_sealed"]
    assert foreign in await site.sealed()
    known = await status(site.database, site.keys)
    (column,) = (one for one in known.columns if one.name == "devices.password_sealed")
    assert (column.current, column.older, column.lost, known.whole) == (2, 0, 1, False)


async def test_what_the_first_versions_sealed_is_brought_along(site: Site) -> None:
    """A text that names no key opens, counts as older, and is sealed anew."""
    key = (await site.ring()).current
    old = b"\x01" + b"n" * 12 + AESGCM(key.secret).encrypt(b"n" * 12, b"secret of b", b"b")
    async with site.database.write() as connection:
        await connection.execute(update(devices).where(devices.c.urn == "b").values(password_sealed=old))
    assert await site.passwords(site.running) == ALL
    assert (await status(site.database, site.keys)).columns[0].older == 1
    await rotate(site.database, site.keys)
    assert (await status(site.database, site.keys)).whole
    assert await site.passwords(site.running) == ALL


async def test_a_secret_is_sealed_only_inside_the_transaction_that_stores_it(site: Site) -> None:
    """Elsewhere the key could change before it is stored."""
    vault = Memory.of(b"k" * 32).vault
    async with site.database.read() as connection:
        with pytest.raises(RuntimeError, match="inside the transaction"):
            await vault.sealer(connection)
    with pytest.raises(RuntimeError, match="inside the transaction"):
        await vault.sealer(connection)


async def test_what_was_read_before_a_rotation_opens_after_it(site: Site) -> None:
    """A key that has left the file stays with those who had read it."""
    memory = Memory.of(b"k" * 32)
    vault = memory.vault
    old, new = memory.keys[0], Key(b"n" * 32)
    memory.put(new)
    assert await vault.open(new.encrypt(b"new", context=b"c"), context="c") == "new"
    assert await vault.open(old.encrypt(b"old", context=b"c"), context="c") == "old"


async def test_a_known_key_is_not_read_again(site: Site) -> None:
    """Opening 900 passwords reads the keys once."""
    memory = Memory.of(b"k" * 32)
    vault = memory.vault
    for _ in range(3):
        await vault.open(memory.keys[0].encrypt(b"x", context=b"c"), context="c")
    assert memory.reads == 1


async def test_a_database_without_its_keys_is_not_rotated(site: Site, tmp_path: Path) -> None:
    """A file that is no key stops it before anything is changed."""
    before = await site.sealed()
    await asyncio.to_thread((tmp_path / "sightline.key").write_text, "rubbish")
    with pytest.raises(KeyFileError):
        await rotate(site.database, site.keys)
    assert await site.sealed() == before
