"""Signing in with a provider of accounts: the buttons, the way there and back, and the accounts of users."""

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from gateway.access.approvals import Act
from gateway.access.errors import AccessError, UserError
from gateway.access.limits import network_of
from gateway.access.oidc.errands import Answer, Confirmed, Departure, Enrolling, Errand, Purpose, SignedIn, Tied
from gateway.access.oidc.errors import LastAdministratorError
from gateway.access.oidc.service import VISIT_S
from gateway.access.permissions import Permission, Role
from gateway.api import models
from gateway.api.description import answers
from gateway.api.enrolling import enrol_with_account
from gateway.api.errors import BadRequestError, MediaTypeError
from gateway.api.guard import Who, actor, needs, public
from gateway.api.oidc_page import confirmed, refused, sent_back
from gateway.api.rooms import Rooms, The, address_of, origin_of
from gateway.api.session import earlier, end_earlier, let_stay
from gateway.api.times import iso, iso_or_none
from gateway.api.visitors import set_session
from gateway.audit.events import SYSTEM, Action, Actor, AuditEvent, Outcome
from gateway.db.identities import IdentityRow
from gateway.sharing.errors import SharingError
from kernel.errors import SightlineError

router = APIRouter(prefix="/api/v1", tags=["oidc"])

Text = Annotated[str | None, Query(max_length=4096)]


_PAGE = "A page that says why; a provider sent the browser here, and nothing of ours runs in it"


class ProviderModel(BaseModel):
    """A provider as the sign-in page names it."""

    id: str
    name: str


class Begin(models.Taken):
    """Where to come back to in the console."""

    return_to: Annotated[str, Field(max_length=200, pattern=r"^/([A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*)?$")] = "/"


class Invited(models.Taken):
    """The code of an invitation."""

    code: Annotated[str, Field(min_length=1, max_length=64)]


class Sent(BaseModel):
    """Where the browser goes now."""

    url: str


class TieOther(models.Taken):
    """Whose account at which provider: ``subject`` is the provider's own name for the person (``sub``)."""

    provider: Annotated[str, Field(max_length=32)]
    subject: Annotated[str, Field(min_length=1, max_length=255)]


class AccountModel(BaseModel):
    """An account that a user signs in with; one that ``governs`` says what they are here."""

    id: str
    provider: str | None
    issuer: str
    subject: str
    governs: bool
    created: str
    signed_in: str | None


@router.get("/oidc/providers", **public())
async def providers(the: The) -> list[ProviderModel]:
    """Return the providers that one may sign in with."""
    return [ProviderModel(id=settings.id, name=settings.name) for settings in the.oidc.settings]


@router.post("/oidc/{provider}/start", **public())
async def start(provider: str, wish: Begin, request: Request, response: Response, the: The) -> Sent:
    """Begin a sign-in: the browser goes to the provider's own page."""
    # Kept with the visit: the session's cookie is Strict, and does not come along on the way back.
    errand = Errand(return_to=wish.return_to, session=await earlier(request, the))
    departure = await the.oidc.begin(provider, errand, origin=origin_of(request), address=address_of(request))
    return _sent(response, the, departure)


@router.post("/oidc/{provider}/enrolment", **public())
async def enrol(provider: str, wish: Invited, request: Request, response: Response, the: The) -> Sent:
    """Begin to use up an invitation with the account that one's own force keeps. A wrong code counts."""
    address = address_of(request)
    the.entrance.attempt(address)
    invitation = await the.sharing.partners.invitation(wish.code)
    the.entrance.succeeded(address)
    errand = Errand(
        purpose=Purpose.ENROL, return_to="/watch", session=await earlier(request, the), invitation=invitation.id
    )
    return _sent(response, the, await the.oidc.begin(provider, errand, origin=origin_of(request), address=address))


@router.get(
    "/oidc/{provider}/callback",
    response_class=Response,
    responses={
        303: {"description": "Signed in: on to the console"},
        **{status: answers("text/html", status=status, description=_PAGE)[status] for status in ("404", "4XX", "5XX")},
    },
    **public(),
)
async def callback(
    provider: str,
    request: Request,
    the: The,
    code: Text = None,
    state: Text = None,
    iss: Text = None,
    error: Text = None,
) -> Response:
    """Take somebody back from a provider. What goes wrong is said on a page: nothing of ours runs there yet."""
    address = address_of(request)
    browser = request.cookies.get(_cookie(the))
    answer = Answer(code=code, state=state, issuer=iss, error=error)
    try:
        came = await the.oidc.finish(provider, answer, browser=browser, address=address)
        if isinstance(came, Enrolling):
            return _forgetting(the, await _enrolled(the, provider, came, request))
    except SightlineError as trouble:
        if isinstance(trouble, AccessError | SharingError):
            _note_failure(the, provider, address, trouble)
        if isinstance(trouble, LastAdministratorError):
            await the.trail.append(_not_demoted(provider, trouble))
        response: Response = refused(trouble)
    else:
        response = await _arrived(the, provider, came, request)
    return _forgetting(the, response)


@router.post("/oidc/{provider}/logout", **public())
async def logout(provider: str, request: Request, the: The) -> None:
    """Hear from a provider that somebody signed out there (OpenID Connect Back-Channel Logout 1.0).

    The body is a form with ``logout_token``.
    """
    who = Actor(id="", name=the.oidc.get(provider).settings.name, address=address_of(request))
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise MediaTypeError("A logout token comes in a form.", cure="Send application/x-www-form-urlencoded.")
    # Without a limit on fields: the body has one already.
    form = parse_qs((await request.body()).decode(errors="replace"))
    for session in await the.oidc.signed_out_there(provider, form.get("logout_token", [""])[0]):
        await the.trail.append(
            AuditEvent(action=Action.SESSION_ENDED, actor=who, details={"provider": provider, "session": session})
        )


@router.post("/session/accounts/{provider}", **needs(Permission.SIGNED_IN, step_up=True))
async def tie_own(provider: str, request: Request, response: Response, who: Who, the: The) -> Sent:
    """Begin to tie an account to oneself: having proved lately who one is here, with a sign-in there."""
    if who.token_name is not None:
        raise BadRequestError("A token has no accounts.", cure="Sign in.")
    departure = await the.oidc.begin(
        provider,
        Errand(purpose=Purpose.TIE, session=who.session),
        origin=origin_of(request),
        address=address_of(request),
    )
    return _sent(response, the, departure)


@router.post("/oidc/{provider}/confirm", **needs(Permission.SIGNED_IN, enrolling=True))
async def confirm_there(provider: str, request: Request, response: Response, who: Who, the: The) -> Sent:
    """Begin to confirm with a provider that it is oneself; the address is for a window of its own."""
    if who.token_name is not None:
        raise BadRequestError("A token has no session.", cure="Sign in.")
    departure = await the.oidc.begin(
        provider,
        Errand(purpose=Purpose.CONFIRM, session=who.session),
        origin=origin_of(request),
        address=address_of(request),
    )
    return _sent(response, the, departure)


@router.get("/session/accounts", **needs(Permission.SIGNED_IN))
async def own_accounts(who: Who, the: The) -> list[AccountModel]:
    """Return the accounts that one signs in with oneself."""
    return [_account(the, row) for row in await the.oidc.admission.of_user(who.user_id)]


@router.delete("/session/accounts/{account_id}", status_code=204, **needs(Permission.SIGNED_IN, step_up=True))
async def untie_own(account_id: str, request: Request, who: Who, the: The) -> None:
    """Take an account from oneself; the sessions that it opened end. It must not be the only way in."""
    if who.token_name is not None:
        raise BadRequestError("A token has no accounts.", cure="Sign in.")
    has = await the.factors.of(who.user_id)
    others = [row for row in await the.oidc.admission.of_user(who.user_id) if row.id != account_id]
    if not (has.password or has.passkeys or others):
        raise UserError("That is the only way in which you sign in.", cure="Add another one before you untie it.")
    row = await the.oidc.admission.untie(who.user_id, account_id)
    await the.trail.append(_tied(Action.ACCOUNT_UNTIED, actor(request, who), row))


@router.get("/users/{user_id}/accounts", **needs(Permission.ADMINISTER))
async def accounts(user_id: str, the: The) -> list[AccountModel]:
    """Return the accounts that a user signs in with."""
    return [_account(the, row) for row in await the.oidc.admission.of_user(user_id)]


@router.post(
    "/users/{user_id}/accounts",
    status_code=201,
    **needs(Permission.ADMINISTER, step_up=True, act=Act.CHANGE_USER),
)
async def tie(user_id: str, wish: TieOther, request: Request, who: Who, the: The) -> AccountModel:
    """Tie an account to a user."""
    issuer = the.oidc.get(wish.provider).settings.issuer
    row = await the.oidc.admission.tie(user_id, issuer, wish.subject)
    await the.trail.append(_tied(Action.ACCOUNT_TIED, actor(request, who), row))
    return _account(the, row)


@router.delete("/users/{user_id}/accounts/{account_id}", status_code=204, **needs(Permission.ADMINISTER, step_up=True))
async def untie(user_id: str, account_id: str, request: Request, who: Who, the: The) -> None:
    """Take an account from a user; the sessions that it opened end."""
    row = await the.oidc.admission.untie(user_id, account_id)
    await the.trail.append(_tied(Action.ACCOUNT_UNTIED, actor(request, who), row))


async def _arrived(the: Rooms, provider: str, came: SignedIn | Tied | Confirmed, request: Request) -> Response:
    """Record what came of a visit, and return where it ends."""
    address = address_of(request)
    # What a group gives holds from the first request on.
    await the.decider.reload()
    match came:
        case SignedIn():
            await _record_sign_in(the, provider, came, request)
            response = await _let_through(the, came, request)
        case Tied(identity=row):
            who = Actor(id=row.user_id, name=await _username(the, row.user_id), address=address)
            await the.trail.append(_tied(Action.ACCOUNT_TIED, who, row))
            response = sent_back(came.return_to)
        case Confirmed(user=user):
            who = Actor(id=user.id, name=user.username, address=address)
            details = {"how": came.method, "provider": provider}
            await the.trail.append(AuditEvent(action=Action.CONFIRMED, actor=who, subject=user.id, details=details))
            response = confirmed()
    return response


async def _enrolled(the: Rooms, provider: str, came: Enrolling, request: Request) -> Response:
    entered = await enrol_with_account(the, came, request)
    how = {"how": "provider", "provider": provider, "methods": " ".join(entered.methods)}
    user_id, who = entered.admitted.user.id, actor(request, entered.identity)
    event = AuditEvent(action=Action.PARTNER_ENROLLED, actor=who, subject=user_id, details=dict(how))
    await let_stay(the, entered.identity, event)
    return await _let_through(the, entered, request)


async def _let_through(the: Rooms, came: SignedIn, request: Request) -> Response:
    await end_earlier(request, the, came.earlier)
    response = sent_back(came.return_to)
    set_session(response, the, came.secret)
    return response


async def _record_sign_in(the: Rooms, provider: str, came: SignedIn, request: Request) -> None:
    user, who = came.admitted.user, actor(request, came.identity)
    if came.admitted.new:
        details = {"username": user.username, "role": came.admitted.role, "provider": provider}
        await the.trail.append(AuditEvent(action=Action.USER_ADDED, actor=SYSTEM, subject=user.id, details=details))
    elif came.admitted.was is not None:
        changed = {"username": user.username, "role": came.admitted.role, "was": came.admitted.was}
        changed |= {"provider": provider}
        await the.trail.append(
            AuditEvent(action=Action.USER_CHANGED, actor=SYSTEM, subject=user.id, details=dict(changed))
        )
    how = {"how": "provider", "provider": provider, "methods": " ".join(came.methods)}
    event = AuditEvent(action=Action.SIGN_IN, actor=who, subject=user.id, details=dict(how))
    await let_stay(the, came.identity, event)


def _note_failure(the: Rooms, provider: str, address: str, error: SightlineError) -> None:
    """Record that somebody came back in vain: nobody knows who, so that those of one network are alike."""
    event = AuditEvent(
        action=Action.SIGN_IN,
        actor=Actor(id="", name="", address=address),
        outcome=Outcome.FAILED,
        details={"error": error.code, "provider": provider[:32]},
    )
    the.trail.note_again(event, "provider", error.code, network_of(address))


def _not_demoted(provider: str, trouble: LastAdministratorError) -> AuditEvent:
    details = {"role": trouble.role, "was": Role.ADMINISTRATOR.value, "provider": provider}
    return AuditEvent(
        action=Action.USER_CHANGED,
        actor=SYSTEM,
        subject=trouble.user_id,
        outcome=Outcome.REFUSED,
        details=dict(details),
    )


def _tied(action: Action, who: Actor, row: IdentityRow) -> AuditEvent:
    return AuditEvent(
        action=action,
        actor=who,
        subject=row.user_id,
        details={"issuer": row.issuer, "account": row.subject},
    )


def _account(the: Rooms, row: IdentityRow) -> AccountModel:
    settings = the.oidc.named(row.issuer)
    return AccountModel(
        id=row.id,
        provider=settings.id if settings is not None else None,
        issuer=row.issuer,
        subject=row.subject,
        governs=row.governs,
        created=iso(row.created_ns),
        signed_in=iso_or_none(row.signed_in_ns),
    )


def _cookie(the: Rooms) -> str:
    return f"{the.cookie}-visit"


def _sent(response: Response, the: Rooms, departure: Departure) -> Sent:
    # Lax, where the session's cookie is Strict: the way back is a navigation that another site began.
    response.set_cookie(
        _cookie(the),
        departure.browser,
        max_age=VISIT_S,
        path="/",
        secure=the.settings.server.behind_tls,
        httponly=True,
        samesite="lax",
    )
    return Sent(url=departure.url)


def _forgetting(the: Rooms, response: Response) -> Response:
    """Have the browser forget the visit: it is over, however it ended."""
    response.delete_cookie(_cookie(the), path="/", secure=the.settings.server.behind_tls, httponly=True, samesite="lax")
    return response


async def _username(the: Rooms, user_id: str) -> str:
    return next((user.username for user in await the.people.users() if user.id == user_id), "")
