"""What somebody proves with that it is them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordProof:
    """What one knows."""

    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TotpProof:
    """The code that the application shows."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryProof:
    """One of the codes that were kept."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyProof:
    """What the browser answered to a challenge; ``ticket`` is that of the challenge where it has one of its own."""

    credential: dict[str, Any]
    ticket: str = ""


Second = TotpProof | RecoveryProof | PasskeyProof
Proof = PasswordProof | TotpProof | PasskeyProof
