"""Passwords: argon2id, off the event loop; length over composition (NIST SP 800-63B, section 3.1.1)."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.access.errors import PasswordPolicyError

MAX_LENGTH = 1024
AT_ONCE = 2
"""Hashing takes 64 MiB and a core for a while each time: floods of sign-ins wait in line."""

# The commonest long passwords; shorter ones are refused by their length.
_COMMON = frozenset(
    {
        "123456789012",
        "1234567890123",
        "12345678901234",
        "123456789012345",
        "1234567890123456",
        "qwertyuiopas",
        "qwertyuiop12",
        "qwertyuiop123",
        "password1234",
        "password12345",
        "password123456",
        "passwordpassword",
        "administrator",
        "adminadminadmin",
        "letmeinletmein",
        "iloveyou1234",
        "welcome12345",
        "changeme1234",
        "changemechangeme",
        "sightlinesightline",
        "correcthorsebatterystaple",
    }
)


class Passwords:
    """Hashes and checks passwords."""

    __slots__ = ("_decoy", "_hasher", "_min_length", "_turns")

    def __init__(self, *, min_length: int, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._min_length = min_length
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._decoy: str | None = None

    def check_policy(self, password: str, *, username: str) -> None:
        """Refuse a weak new password.

        Raises:
            PasswordPolicyError: too short, too long, common, or the user name.
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
        if plain in _COMMON or len(set(plain)) < 4 or (username and not plain.replace(username.casefold(), "")):
            raise PasswordPolicyError("That password would be guessed first.", cure="Take a few unrelated words.")

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
