"""What somebody is sent to a provider for, and what they come back with."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.access.identity import Identity
from gateway.access.oidc.admission import Account, Admitted
from gateway.access.oidc.provider import Provider
from gateway.db.identities import IdentityRow
from gateway.db.users import UserRow


class Purpose(StrEnum):
    """What somebody is sent to a provider for."""

    SIGN_IN = "sign-in"
    TIE = "tie"
    CONFIRM = "confirm"
    """To prove again who one is, for a sharp act: who has no password here can do it in no other way."""
    ENROL = "enrol"
    """To come in for the first time with an invitation: the account stands in place of a password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """The purpose, where in the console it ends, and the session that it is for, where there is one already."""

    purpose: Purpose = Purpose.SIGN_IN
    return_to: str = "/"
    session: str | None = None
    invitation: str | None = None
    """The identifier of the invitation that is to be used up, for ``ENROL``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Where to send a browser, and the secret it is to keep (a cookie) until it is back."""

    url: str
    browser: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a browser brings back in its address."""

    code: str | None = None
    state: str | None = None
    issuer: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Somebody came in."""

    identity: Identity
    secret: str
    admitted: Admitted
    methods: tuple[str, ...]
    return_to: str
    earlier: str | None
    """The session that the browser had when it left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tied:
    """A user has an account of a provider more."""

    identity: IdentityRow
    return_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """Whoever has a session proved again that it is them."""

    user: UserRow
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolling:
    """Somebody came back to use up an invitation with their account; nobody was made yet."""

    provider: Provider
    account: Account
    invitation: str
    return_to: str
    earlier: str | None
    """The session that the browser had when it left."""
