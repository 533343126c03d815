"""What can go wrong between us and a provider of accounts.

ProviderError (gateway.access.errors.AccessError)
├── ProviderUnknownError      there is no such provider
├── ProviderUnreachableError  it does not answer
├── ProviderAnswerError       what it answers is not what it should be
├── ProviderRefusedError      it did not sign the person in
├── VisitError                somebody comes back who was not sent, or not from there
├── NotAdmittedError          it knows them, but they may not come in here
│   └── LastAdministratorError  it would leave nobody who can administer
└── LogoutTokenError          a logout token that is none
"""

from gateway.access.errors import AccessError


class ProviderError(AccessError):
    """Root of this tree."""

    code = "access.provider"
    status = 502


class ProviderUnknownError(ProviderError):
    """There is no such provider."""

    code = "access.provider-unknown"
    status = 404


class ProviderUnreachableError(ProviderError):
    """It does not answer, or not in time."""

    code = "access.provider-unreachable"
    status = 503


class ProviderAnswerError(ProviderError):
    """What it answers is not what it should be. ``facts["found"]`` is for the log."""

    code = "access.provider-answer"
    status = 502


class ProviderRefusedError(ProviderError):
    """It did not sign the person in."""

    code = "access.provider-refused"
    status = 403


class VisitError(ProviderError):
    """Somebody comes back who was not sent, too late, twice, or from elsewhere."""

    code = "access.provider-visit"
    status = 400


class NotAdmittedError(ProviderError):
    """The provider knows them, but they may not come in here."""

    code = "access.not-admitted"
    status = 403


class LastAdministratorError(NotAdmittedError):
    """A group was changed there so that nobody here could administer any more: that is not done by a provider."""

    code = "access.last-administrator"

    def __init__(self, provider: str, *, user_id: str, role: str) -> None:
        super().__init__(
            f"{provider} makes you {role} now, but you are the only administrator here.",
            cure="Make another one first, at the gateway's terminal: sightline users add NAME --role administrator.",
        )
        self.user_id = user_id
        self.role = role


class LogoutTokenError(ProviderError):
    """A logout token that is none of ours, or none at all."""

    code = "access.logout-token"
    status = 400
