"""What access refuses, and why.

AccessError (kernel.errors.SightlineError; ``status`` is the HTTP status that fits)
├── NotSignedInError     no session or token, or one that has ended
├── CredentialsError     user name, password or code is wrong
├── KeptElsewhereError   the account is a provider's, and only it signs them in
├── TooManyAttemptsError too many wrong ones; ``retry_after_s`` says how long to wait
├── ForbiddenError       the role does not have that permission
├── ConfirmError         they have to prove again who they are; ``extension`` names the ways they have
├── LockedError          the session is locked
├── EnrolDueError        a second factor has to be enrolled first
├── NoPasskeysError      passkeys cannot be used at this address
├── ForgeryError         the request did not come from our own pages
├── PasswordPolicyError  a new password that is too weak
├── SecondPersonError    the act takes two people; ``extension`` says how its approval stands
├── BreachedListError    the list of breached passwords cannot be used
├── FactorError          a second factor that cannot be added or removed
├── UserError            a change to users that may not be made
├── RightsError          a group, team, role or grant that cannot be
└── UnknownError         no such user, token, group, team, role or grant
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kernel.errors import SightlineError


class AccessError(SightlineError):
    """Root of this tree."""

    code = "access.error"
    status = 403


class NotSignedInError(AccessError):
    """No session or token, or one that has ended."""

    code = "access.sign-in"
    status = 401


class CredentialsError(AccessError):
    """User name, password or code is wrong. Which of them is never said."""

    code = "access.credentials"
    status = 401


class KeptElsewhereError(AccessError):
    """The account is kept by a provider, which alone signs its people in."""

    code = "access.kept-elsewhere"
    status = 403

    def __init__(self) -> None:
        super().__init__(
            "This account is kept by your organisation.", cure="Sign in with its button on the sign-in page."
        )


class TooManyAttemptsError(AccessError):
    """Too many failed attempts. ``bucket`` has none left: all who are refused by it are refused alike."""

    code = "access.too-many-attempts"
    status = 429

    def __init__(self, retry_after_s: int, *, bucket: str = "") -> None:
        wait = f"{retry_after_s} seconds" if retry_after_s < 120 else f"{round(retry_after_s / 60)} minutes"
        super().__init__("There were too many failed sign-ins.", cure=f"Wait {wait} and try again.")
        self.retry_after_s = retry_after_s
        self.bucket = bucket


class ForbiddenError(AccessError):
    """The role does not have that permission."""

    code = "access.forbidden"
    status = 403


class ConfirmError(AccessError):
    """They have to prove again who they are before this."""

    code = "access.confirm"
    status = 403

    def __init__(self, methods: Sequence[str]) -> None:
        super().__init__("This needs you to confirm that it is you.", cure="Confirm, and do it again.")
        self.extension = {"methods": list(methods)}


class LockedError(AccessError):
    """The session is locked, or a wallboard."""

    code = "access.locked"
    status = 403

    def __init__(self) -> None:
        super().__init__("This console is locked.", cure="Unlock it first.")


class EnrolDueError(AccessError):
    """A second factor has to be enrolled before anything else."""

    code = "access.enrol"
    status = 403

    def __init__(self) -> None:
        super().__init__("A second factor is required here.", cure="Add a passkey or an authenticator app first.")


class NoPasskeysError(AccessError):
    """Passkeys cannot be used at this address: it is no name, or there is no TLS."""

    code = "access.no-passkeys"
    status = 409


class ForgeryError(AccessError):
    """The request carries a cookie but did not come from our own pages."""

    code = "access.forgery"
    status = 403


class PasswordPolicyError(AccessError):
    """A new password is too weak."""

    code = "access.password"
    status = 422


class BreachedListError(AccessError):
    """The list of breached passwords cannot be used."""

    code = "access.breached-list"
    status = 503


class FactorError(AccessError):
    """A second factor that cannot be added or removed."""

    code = "access.factor"
    status = 409


class UserError(AccessError):
    """A change to users that may not be made."""

    code = "access.user"
    status = 409


class SecondPersonError(AccessError):
    """The act takes two people."""

    code = "access.second-person"
    status = 403

    def __init__(self, message: str, *, cure: str, told: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, cure=cure)
        self.extension = dict(told or {})


class RightsError(AccessError):
    """A group, team, role or grant that cannot be."""

    code = "access.rights"
    status = 422


class UnknownError(AccessError):
    """No such user, token, group, team, role or grant."""

    code = "access.unknown"
    status = 404
