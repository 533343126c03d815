"""What the API takes and answers about signing in, one's account and sessions."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, SecretStr, StringConstraints, model_validator

from gateway.access.factors import Method
from gateway.access.identity import SessionState
from gateway.access.proofs import PasskeyProof, PasswordProof, Proof, RecoveryProof, Second, TotpProof
from gateway.api.models import Password, Taken, User, Word

Ticket = Annotated[str, Field(max_length=64)]
Code = Annotated[str, Field(min_length=1, max_length=64)]
Credential = Annotated[dict[str, Any], Field(max_length=12)]
"""A ``PublicKeyCredential`` as ``toJSON`` gives it (WebAuthn section 5.1)."""
PasskeyName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")
]


class SetupNeeded(BaseModel):
    """Whether there is nobody yet."""

    needed: bool


class SetUp(Taken):
    """The first administrator."""

    code: Code
    username: Annotated[str, Field(min_length=1, max_length=64)]
    password: Password
    name: Word = ""


class SignIn(Taken):
    """User name and password, or a one-time code, or a passkey with the ticket of its challenge."""

    username: Annotated[str, Field(max_length=64)] = ""
    password: SecretStr | None = None
    code: Annotated[str, Field(max_length=64)] | None = None
    ticket: Ticket = ""
    passkey: Credential | None = None


class SecondFactor(Taken):
    """What completes a sign-in: exactly one of the three."""

    ticket: Ticket
    totp: Code | None = None
    recovery: Code | None = None
    passkey: Credential | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        _exactly_one(totp=self.totp, recovery=self.recovery, passkey=self.passkey)
        return self

    def proof(self) -> Second:
        """Return what is to be checked."""
        if self.totp is not None:
            return TotpProof(code=self.totp)
        if self.recovery is not None:
            return RecoveryProof(code=self.recovery)
        return PasskeyProof(credential=self.passkey or {})


class Confirm(Taken):
    """How somebody proves again who they are: exactly one of the three; a passkey with its challenge's ticket."""

    password: Password | None = None
    totp: Code | None = None
    passkey: Credential | None = None
    ticket: Ticket = ""

    @model_validator(mode="after")
    def _one(self) -> Self:
        _exactly_one(password=self.password, totp=self.totp, passkey=self.passkey)
        return self

    def proof(self) -> Proof:
        """Return what is to be checked."""
        if self.password is not None:
            return PasswordProof(password=self.password.get_secret_value())
        if self.totp is not None:
            return TotpProof(code=self.totp)
        return PasskeyProof(credential=self.passkey or {}, ticket=self.ticket)


class NewPassword(Taken):
    """One's own password, changed."""

    current: Password
    new: Password


class SignedIn(BaseModel):
    """Who one is.

    ``ice_servers`` tells whether a player should ask for ICE servers (OPTIONS on the WHEP address) before it connects.
    ``enrol_due``: a second factor has to be enrolled before anything else. ``lock_after_s`` 0: it never locks.
    ``reference``: the incident or request that is worked on, as ``PUT /session/reference`` had it.
    """

    user: User
    ice_servers: bool
    state: SessionState
    enrol_due: bool
    lock_after_s: int
    reference: str = ""


class SignedOut(BaseModel):
    """Where else to sign out: an address that the browser goes to."""

    continue_at: str


class Session(SignedIn):
    """Who one is, and what time it is here."""

    server_time: str


class SecondDue(BaseModel):
    """The password was right; ``passkey`` is what to ask the browser where a passkey of this address is among them."""

    ticket: str
    methods: list[Method]
    passkey: dict[str, Any] | None


class Challenge(BaseModel):
    """What to ask the browser: ``options`` as ``navigator.credentials`` takes it in JSON."""

    ticket: str
    options: dict[str, Any]


class StateWish(Taken):
    """To lock a session, or make it a wallboard. Only a proof opens it again."""

    state: SessionState

    @model_validator(mode="after")
    def _shut(self) -> Self:
        if self.state is SessionState.OPEN:
            msg = "a session is opened by confirming"
            raise ValueError(msg)
        return self


class ReferenceWish(Taken):
    """Which incident or request is worked on; empty: none."""

    reference: Word


class PasskeyEntry(BaseModel):
    """A passkey; ``here`` is whether it works at this address."""

    id: str
    name: str
    created: str
    used: str | None
    here: bool


class FactorList(BaseModel):
    """What one has; ``passkeys_usable`` is whether passkeys work at the address that one is at."""

    password: bool
    totp: str | None
    passkeys: list[PasskeyEntry]
    recovery_left: int
    required: bool
    passkeys_usable: bool


class TotpOffer(BaseModel):
    """A secret for an authenticator application, as text, as address and as a picture (SVG in a data: URL)."""

    ticket: str
    secret: str
    uri: str
    picture: str


class TotpTaken(Taken):
    """The first code that the application shows."""

    ticket: Ticket
    code: Code


class PasskeyTaken(Taken):
    """What the browser made."""

    ticket: Ticket
    name: PasskeyName
    credential: Credential


class PasskeyRename(Taken):
    """A passkey's new name."""

    name: PasskeyName


class RecoveryCodes(BaseModel):
    """Codes that are shown this once; none where there are codes from before."""

    recovery_codes: list[str]


class SessionEntry(BaseModel):
    """A session in a list; ``current`` is the one that asks."""

    id: str
    user_id: str
    username: str
    name: str
    since: str
    used: str
    address: str
    browser: str
    methods: list[str]
    state: SessionState
    current: bool


def _exactly_one(**given: object) -> None:
    if sum(value is not None for value in given.values()) != 1:
        msg = f"give exactly one of {', '.join(given)}"
        raise ValueError(msg)
