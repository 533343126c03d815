"""What access refuses, and why.

AccessError (kernel.errors.SightlineError; ``status`` is the HTTP status that fits)
├── NotSignedInError     no session or token, or one that has ended
├── CredentialsError     user name, password or code is wrong
├── KeptElsewhereError   the account is a provider's, and only it signs them in
├── TooManyAttemptsError too many wrong ones; ``retry_after_s`` says how long to wait
├── ForbiddenError       the role does not have that permission
├── ForgeryError         the request did not come from our own pages
├── PasswordPolicyError  a new password that is too weak
├── UserError            a change to users that may not be made
└── UnknownError         no such user or token
"""

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
    """Too many failed attempts."""

    code = "access.too-many-attempts"
    status = 429

    def __init__(self, retry_after_s: int) -> None:
        wait = f"{retry_after_s} seconds" if retry_after_s < 120 else f"{round(retry_after_s / 60)} minutes"
        super().__init__("There were too many failed sign-ins.", cure=f"Wait {wait} and try again.")
        self.retry_after_s = retry_after_s


class ForbiddenError(AccessError):
    """The role does not have that permission."""

    code = "access.forbidden"
    status = 403


class ForgeryError(AccessError):
    """The request carries a cookie but did not come from our own pages."""

    code = "access.forgery"
    status = 403


class PasswordPolicyError(AccessError):
    """A new password is too weak."""

    code = "access.password"
    status = 422


class UserError(AccessError):
    """A change to users that may not be made."""

    code = "access.user"
    status = 409


class UnknownError(AccessError):
    """No such user or token."""

    code = "access.unknown"
    status = 404
