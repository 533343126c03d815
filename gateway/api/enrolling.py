"""Coming in from outside for the first time: an invitation is used up, with a password or an account kept elsewhere."""

from fastapi import Request

from gateway.access.oidc.admission import Account
from gateway.access.oidc.errands import Enrolling, SignedIn
from gateway.access.permissions import Role
from gateway.api.rooms import Rooms, address_of
from gateway.db.errors import ConflictError
from gateway.db.identities import IdentityRow
from gateway.db.partners import InvitationRow
from gateway.db.users import UserRow
from gateway.sharing.errors import InvitationError


async def make_recipient(
    the: Rooms, invitation: InvitationRow, *, password: str | None = None, account: Account | None = None
) -> tuple[UserRow, IdentityRow | None]:
    """Use up an invitation: make a user of the partner's, who comes in with the password or the account.

    Raises:
        InvitationError: somebody else was quicker.
        ConflictError: the user name, or the account, belongs to a user already.
        PasswordPolicyError: the password is too weak.
    """
    user = await the.people.add(
        username=invitation.username, name=invitation.name, role=Role.PARTNER, password=password
    )
    tied = None
    try:
        if account is not None:
            tied = await the.oidc.admission.tie(user.id, account.issuer, account.subject)
        await the.sharing.partners.enrolled(invitation, user_id=user.id, name=user.name)
    except (ConflictError, InvitationError):
        await the.people.remove(user.id)
        raise
    await the.decider.reload()
    return user, tied


async def enrol_with_account(the: Rooms, came: Enrolling, request: Request) -> SignedIn:
    """Make whoever came back from a provider with an invitation a recipient, and sign them in.

    Raises:
        InvitationError: it was used or withdrawn meanwhile, or is too old.
        ConflictError: as :func:`make_recipient`.
    """
    invitation = await the.sharing.partners.invitation_named(came.invitation)
    user, tied = await make_recipient(the, invitation, account=came.account)
    assert tied is not None
    return await the.oidc.enrolled(came, user, tied, address=address_of(request))
