"""Second factors of users: a sealed secret, passkeys, recovery codes."""

from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.errors import ConflictError
from gateway.db.tables import passkeys, recovery_codes, totp


@dataclass(frozen=True, slots=True, kw_only=True)
class TotpRow:
    """A row of totp."""

    user_id: str
    secret_sealed: bytes
    created_ns: int
    used_step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyRow:
    """A row of passkeys. ``credential_id`` is base64url without padding; ``public_key`` is COSE."""

    id: str
    user_id: str
    credential_id: str
    public_key: bytes
    sign_count: int
    rp_id: str
    name: str
    created_ns: int
    used_ns: int | None


class FactorRows:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    # --- codes of an authenticator application

    async def totp(self, user_id: str) -> TotpRow | None:
        """Return a user's secret."""
        row = (await self._connection.execute(select(totp).where(totp.c.user_id == user_id))).one_or_none()
        return TotpRow(**row._asdict()) if row is not None else None

    async def put_totp(self, row: TotpRow) -> None:
        """Store a secret in place of the one before."""
        await self.remove_totp(row.user_id)
        await self._connection.execute(
            insert(totp).values({column.name: getattr(row, column.name) for column in totp.columns})
        )

    async def use_step(self, user_id: str, step: int) -> bool:
        """Take a step's code; return whether it, or a later one, had not been taken before."""
        taken = await self._connection.execute(
            update(totp).where(totp.c.user_id == user_id, totp.c.used_step < step).values(used_step=step)
        )
        return bool(taken.rowcount)

    async def remove_totp(self, user_id: str) -> bool:
        """Remove a secret; return whether there was one."""
        return bool((await self._connection.execute(delete(totp).where(totp.c.user_id == user_id))).rowcount)

    # --- passkeys

    async def passkeys(self, user_id: str) -> list[PasskeyRow]:
        """Return a user's passkeys, oldest first."""
        rows = await self._connection.execute(
            select(passkeys).where(passkeys.c.user_id == user_id).order_by(passkeys.c.created_ns)
        )
        return [PasskeyRow(**row._asdict()) for row in rows]

    async def passkey(self, credential_id: str) -> PasskeyRow | None:
        """Return a passkey by what the authenticator calls it."""
        row = (
            await self._connection.execute(select(passkeys).where(passkeys.c.credential_id == credential_id))
        ).one_or_none()
        return PasskeyRow(**row._asdict()) if row is not None else None

    async def add_passkey(self, row: PasskeyRow) -> None:
        """Store a passkey.

        Raises:
            ConflictError: it is known already.
        """
        try:
            await self._connection.execute(
                insert(passkeys).values({column.name: getattr(row, column.name) for column in passkeys.columns})
            )
        except IntegrityError:
            raise ConflictError("This passkey is known already.", cure="Sign in with it, or use another.") from None

    async def use_passkey(self, passkey_id: str, *, sign_count: int, seen: int, at_ns: int) -> bool:
        """Note a use; return whether nobody else has used it since its count was ``seen``."""
        used = await self._connection.execute(
            update(passkeys)
            .where(passkeys.c.id == passkey_id, passkeys.c.sign_count == seen)
            .values(sign_count=sign_count, used_ns=at_ns)
        )
        return bool(used.rowcount)

    async def rename_passkey(self, user_id: str, passkey_id: str, name: str) -> bool:
        """Rename one of a user's passkeys; return whether it is theirs."""
        renamed = await self._connection.execute(
            update(passkeys).where(passkeys.c.id == passkey_id, passkeys.c.user_id == user_id).values(name=name)
        )
        return bool(renamed.rowcount)

    async def remove_passkey(self, user_id: str, passkey_id: str) -> bool:
        """Remove one of a user's passkeys; return whether it was theirs."""
        removed = await self._connection.execute(
            delete(passkeys).where(passkeys.c.id == passkey_id, passkeys.c.user_id == user_id)
        )
        return bool(removed.rowcount)

    # --- recovery codes

    async def put_recovery(self, user_id: str, hashes: list[str], at_ns: int) -> None:
        """Store codes in place of those before."""
        await self._connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
        await self._connection.execute(
            insert(recovery_codes),
            [{"secret_hash": one, "user_id": user_id, "created_ns": at_ns} for one in hashes],
        )

    async def take_recovery(self, user_id: str, secret_hash: str) -> bool:
        """Use a code up; return whether it was one of theirs."""
        taken = await self._connection.execute(
            delete(recovery_codes).where(
                recovery_codes.c.user_id == user_id, recovery_codes.c.secret_hash == secret_hash
            )
        )
        return bool(taken.rowcount)

    async def recovery_left(self, user_id: str) -> int:
        """Return how many codes are left."""
        query = select(func.count()).select_from(recovery_codes).where(recovery_codes.c.user_id == user_id)
        return int((await self._connection.execute(query)).scalar_one())

    async def remove_all(self, user_id: str) -> None:
        """Remove everything of a user."""
        for table in (totp, passkeys, recovery_codes):
            await self._connection.execute(delete(table).where(table.c.user_id == user_id))
