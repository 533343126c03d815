"""Secrets that we make: session secrets, API tokens, one-time codes. Only their hashes are stored.

They carry so much entropy that one SHA-256 hides them; passwords, which people make, need argon2.
"""

import hashlib
import secrets

TOKEN_PREFIX = "sightline_"  # noqa: S105 - so that a leaked token is recognised as one
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_secret() -> str:
    """Return 256 random bits for a cookie."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """Return a new API token."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def new_code() -> str:
    """Return a one-time code that can be typed: 4 groups of 4, 78 bits, no letters that look like digits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


def hashed(secret: str) -> str:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def hashed_code(code: str) -> str:
    """Return what is stored of a one-time code, as it may be typed: case, spaces and dashes do not matter."""
    return hashed("".join(code.upper().split()).replace("-", ""))
