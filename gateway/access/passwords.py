"""Passwords: argon2id, off the event loop; length over composition (NIST SP 800-63B, section 3.1.1)."""

import asyncio
import gzip
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from config.access import AccessSettings
from gateway.access.breached import BreachedList
from gateway.access.errors import PasswordPolicyError

MAX_LENGTH = 1024
NO_PASSWORD = "!"  # noqa: S105 - none, and no hash either
"""What stands in place of a hash: no password is the right one."""
STRENGTH = RFC_9106_LOW_MEMORY
"""Argon2id with 64 MiB and three passes (RFC 9106, section 4)."""
AT_ONCE = 2
"""Hashing takes 64 MiB and a core for a while each time: floods of sign-ins wait in line."""

_COMMON = Path(__file__).with_name("common-passwords.txt.gz")
"""The 8,000 commonest passwords of 8 characters or more; shorter ones are refused by their length."""


@cache
def _common() -> frozenset[str]:
    return frozenset(gzip.decompress(_COMMON.read_bytes()).decode().split())


class Passwords:
    """Hashes and checks passwords."""

    __slots__ = ("_breached", "_decoy", "_hasher", "_min_length", "_turns")

    def __init__(
        self, *, min_length: int, hasher: PasswordHasher | None = None, breached: BreachedList | None = None
    ) -> None:
        self._breached = breached
        self._hasher = hasher or PasswordHasher.from_parameters(STRENGTH)
        self._min_length = min_length
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._decoy: str | None = None

    async def check_policy(self, password: str, *, username: str) -> None:
        """Refuse a weak new password.

        Raises:
            PasswordPolicyError: too short, too long, common, the user name, or known from a breach.
            BreachedListError: whether it is known cannot be told.
        """
        if len(password) < self._min_length:
            raise PasswordPolicyError(
                f"The password is shorter than {self._min_length} characters.",
                cure="Take a few words; length is what counts.",
            )
        if len(password) > MAX_LENGTH:
            raise PasswordPolicyError(
                f"The password is longer than {MAX_LENGTH} characters.", cure="Take a shorter one."
            )
        plain = password.casefold()
        common = plain in await asyncio.to_thread(_common)
        if common or len(set(plain)) < 4 or (username and not plain.replace(username.casefold(), "")):
            raise PasswordPolicyError("That password would be guessed first.", cure="Take a few unrelated words.")
        if self._breached is not None and await asyncio.to_thread(self._breached.has, password):
            raise PasswordPolicyError(
                "That password is known to whoever collects stolen ones.", cure="Take a few unrelated words."
            )

    async def hash(self, password: str) -> str:
        """Return an argon2id hash with its parameters and salt in it."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Return whether ``password`` is the one; without a stored hash takes as long to say no."""
        if self._decoy is None:
            self._decoy = await self.hash("no one's password")
        async with self._turns:
            right = await asyncio.to_thread(self._matches, stored or self._decoy, password[: MAX_LENGTH + 1])
        return right and stored is not None

    def outdated(self, stored: str) -> bool:
        """Return whether a hash was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


async def open_passwords(settings: AccessSettings) -> Passwords:
    """Return what hashes and checks passwords as the settings say.

    Raises:
        BreachedListError: the list of breached passwords that they name is none.
    """
    breached = None
    if settings.breached_passwords is not None:
        breached = BreachedList(settings.breached_passwords)
        await asyncio.to_thread(breached.check)
    return Passwords(min_length=settings.password_min_length, breached=breached)
