"""Who may sign in, and for how long (docs/design/access.md)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class AccessSettings(BaseModel):
    """Passwords, sessions, one-time codes and tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    password_min_length: Annotated[int, Field(ge=8, le=128)] = 12
    """Shortest password accepted. Length is asked for, not composition."""
    session_idle_s: Annotated[int, Field(ge=60)] = 14_400
    """A session ends when its console has been closed and unused for this long."""
    session_absolute_s: Annotated[int, Field(ge=300)] = 604_800
    """A session ends this long after the sign-in, whatever is done with it."""
    code_valid_s: Annotated[int, Field(ge=60)] = 86_400
    """How long a one-time code can be used after it was printed."""
    token_max_days: Annotated[int, Field(ge=1, le=3650)] = 365
    """Longest life of an API token."""
    glass_max_minutes: Annotated[int, Field(ge=1, le=1440)] = 60
    """Who breaks the glass has an operator's rights on every camera for this long at most."""
    two_people: tuple[Literal["hold.release", "user.remove", "user.change", "grant.add", "export.clip"], ...] = ()
    """Acts that take two people: somebody else, who may approve, must allow each."""
    account_attempts: Annotated[int, Field(ge=1)] = 10
    """Failed sign-ins to one account before it has to wait."""
    account_refill_s: Annotated[float, Field(gt=0)] = 30.0
    """After that, one more attempt is allowed each so many seconds."""
    address_attempts: Annotated[int, Field(ge=1)] = 30
    """Failed sign-ins from one address before it has to wait."""
    address_refill_s: Annotated[float, Field(gt=0)] = 10.0
    """After that, one more attempt is allowed each so many seconds."""
