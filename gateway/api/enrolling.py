"""Coming in for the first time with an account that one's own force keeps: it stands in place of a password."""

from fastapi import Request

from gateway.access.identity import Identity
from gateway.access.oidc.errands import Enrolling, SignedIn
from gateway.access.permissions import Role
from gateway.api.guard import actor
from gateway.api.rooms import Rooms, address_of
from gateway.audit.events import Action, AuditEvent
from gateway.db.errors import ConflictError
from gateway.sharing.errors import InvitationError


async def enrol(the: Rooms, came: Enrolling, request: Request) -> SignedIn:
    """Use up an invitation: make whoever came a user of the partner's, whose account this is, and sign them in.

    Raises:
        InvitationError: it was used or withdrawn meanwhile, or is too old.
        ConflictError: the account, or the user name, belongs to a user already.
    """
    invitation = await the.sharing.partners.invitation_named(came.invitation)
    user = await the.people.add(username=invitation.username, name=invitation.name, role=Role.PARTNER, password=None)
    try:
        admitted = await the.oidc.admission.enrol(user, came.account)
        await the.sharing.partners.enrolled(invitation, user_id=user.id, name=user.name)
    except (ConflictError, InvitationError):
        await the.people.remove(user.id)
        raise
    await the.decider.reload()
    identity, secret = await the.oidc.admission.open(came.provider, came.account, admitted, address=address_of(request))
    return SignedIn(
        identity=identity,
        secret=secret,
        admitted=admitted,
        methods=came.account.methods,
        return_to=came.return_to,
        earlier=None,
    )


def enrolled(provider: str, who: Identity, came: SignedIn, request: Request) -> AuditEvent:
    """Return what is recorded of it."""
    details = {"how": "provider", "provider": provider, "methods": " ".join(came.methods)}
    return AuditEvent(
        action=Action.PARTNER_ENROLLED, actor=actor(request, who), subject=who.user_id, details=dict(details)
    )
