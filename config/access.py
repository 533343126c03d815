"""Who may sign in, and for how long (docs/design/access.md)."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class AccessSettings(BaseModel):
    """Passwords, sessions, one-time codes and tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    password_min_length: Annotated[int, Field(ge=8, le=128)] = 12
    """Shortest password accepted. Length is asked for, not composition."""
    breached_passwords: Path | None = None
    """List of passwords known from breaches, as Have I Been Pwned gives it: "SHA1:COUNT" a line, sorted by hash."""
    second_factor: Literal["offered", "required"] = "offered"
    """Required: who has neither passkey nor authenticator app must add one at the next sign-in before anything else."""
    session_idle_s: Annotated[int, Field(ge=60)] = 14_400
    """A session ends when its console has been closed and unused for this long."""
    session_absolute_s: Annotated[int, Field(ge=300)] = 604_800
    """A session ends this long after the sign-in, whatever is done with it."""
    lock_after_s: Annotated[int, Field(ge=0, le=86_400)] = 900
    """A console that no hand has touched for this long shows live pictures only until it is unlocked; 0: never."""
    confirm_valid_s: Annotated[int, Field(ge=60, le=86_400)] = 1800
    """Sharp acts (exports, changes to people) ask who is there again when the last proof is older than this."""
    code_valid_s: Annotated[int, Field(ge=60)] = 86_400
    """How long a one-time code can be used after it was printed."""
    token_max_days: Annotated[int, Field(ge=1, le=3650)] = 365
    """Longest life of an API token."""
    glass_max_minutes: Annotated[int, Field(ge=1, le=1440)] = 60
    """Who breaks the glass has an operator's rights on every camera for this long at most."""
    two_people: tuple[
        Literal["hold.release", "user.add", "user.remove", "user.change", "grant.add", "export.clip"], ...
    ] = ()
    """Acts that take two people: somebody else, who may approve, must allow each. No program does them then."""
    account_attempts: Annotated[int, Field(ge=1)] = 10
    """Failed sign-ins to one account from one address, or from one known browser, before it has to wait."""
    account_refill_s: Annotated[float, Field(gt=0)] = 30.0
    """After that, one more attempt is allowed each so many seconds."""
    account_wide_attempts: Annotated[int, Field(ge=1)] = 100
    """Failed sign-ins to one account from all addresses together before unknown browsers have to wait."""
    account_wide_refill_s: Annotated[float, Field(gt=0)] = 30.0
    """After that, one more attempt is allowed each so many seconds."""
    address_attempts: Annotated[int, Field(ge=1)] = 30
    """Failed sign-ins from one address before unknown browsers there have to wait."""
    address_refill_s: Annotated[float, Field(gt=0)] = 10.0
    """After that, one more attempt is allowed each so many seconds."""
    device_known_days: Annotated[int, Field(ge=1, le=400)] = 365
    """A browser from which somebody signed in is known for this long after the last time."""
