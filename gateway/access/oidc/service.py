"""Signing in with a provider: sent there, back from there, and out again."""

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence

import structlog

from config.oidc import OidcSettings
from config.settings import Settings
from gateway.access.errors import NotSignedInError, TooManyAttemptsError
from gateway.access.limits import Attempts, network_of
from gateway.access.oidc.admission import Account, Admission, Admitted, account_of, check_factors
from gateway.access.oidc.errands import (
    Answer,
    Confirmed,
    Departure,
    Enrolling,
    Errand,
    Purpose,
    SignedIn,
    Tied,
)
from gateway.access.oidc.errors import (
    NotAdmittedError,
    ProviderError,
    ProviderRefusedError,
    ProviderUnknownError,
    VisitError,
)
from gateway.access.oidc.provider import Provider, Question, open_provider
from gateway.access.secrets import hashed, new_secret
from gateway.access.service import Access
from gateway.db.engine import Database
from gateway.db.identities import Identities, IdentityRow, ProviderSessions
from gateway.db.users import UserRow
from gateway.db.visits import VisitRow, Visits
from kernel.clock import NS_PER_S, Clock

log = structlog.get_logger()

VISIT_S = 600
"""How long somebody may take to sign in at the provider."""
LOGOUT_KEPT_S = 86_400
"""Longest that a logout token's name is kept, whatever end it gives itself."""
CALLBACK = "/api/v1/oidc/{}/callback"


class Oidc:
    """The providers, and the people whom they sign in. Made by :func:`open_oidc`."""

    def __init__(  # noqa: PLR0913 - open_oidc joins it
        self,
        providers: Sequence[Provider],
        database: Database,
        *,
        clock: Clock,
        admission: Admission,
        departures: Attempts,
        arrivals: Attempts,
    ) -> None:
        """``departures`` counts who was sent and did not come back, ``arrivals`` who comes and was not sent."""
        self.admission = admission
        self._providers = {provider.settings.id: provider for provider in providers}
        self._database = database
        self._clock = clock
        self._departures = departures
        self._arrivals = arrivals

    @property
    def settings(self) -> list[OidcSettings]:
        """Return the providers as they are set."""
        return [provider.settings for provider in self._providers.values()]

    def named(self, issuer: str) -> OidcSettings | None:
        """Return the provider of an issuer; ``None`` where it is set no more."""
        return next((settings for settings in self.settings if settings.issuer == issuer), None)

    def get(self, provider_id: str) -> Provider:
        """Return a provider.

        Raises:
            ProviderUnknownError: there is none like that.
        """
        provider = self._providers.get(provider_id)
        if provider is None:
            raise ProviderUnknownError("There is no such sign-in service.", cure="Sign in from the console's own page.")
        return provider

    # --- there

    async def begin(self, provider_id: str, errand: Errand, *, origin: str, address: str) -> Departure:
        """Return where to send a browser; ``origin`` is where it reaches us.

        Raises:
            ProviderUnknownError: no such provider.
            ProviderUnreachableError, ProviderAnswerError: it is not there, or not right.
            NotAdmittedError: there is no administrator yet, and nobody comes before them.
            TooManyAttemptsError: too many were sent from this address and did not come back.
        """
        provider = self.get(provider_id)
        if await self.admission.too_early():
            raise NotAdmittedError("Sightline is not set up yet.", cure="Make the first administrator.")
        network = network_of(address)
        _take(self._departures, network)
        browser, state = new_secret(), new_secret()
        redirect_uri = origin + CALLBACK.format(provider_id)
        question = _question(browser, state, redirect_uri, again=errand.purpose is not Purpose.SIGN_IN)
        url = await provider.sign_in_url(question)
        now_ns = self._clock.wall_ns()
        row = VisitRow(
            state_hash=hashed(state),
            browser_hash=hashed(browser),
            provider=provider_id,
            purpose=errand.purpose,
            session_id=errand.session,
            invitation_id=errand.invitation,
            redirect_uri=redirect_uri,
            return_to=errand.return_to,
            created_ns=now_ns,
            expires_ns=now_ns + VISIT_S * NS_PER_S,
        )
        async with self._database.write() as connection:
            await Visits(connection).forget(now_ns)
            await Visits(connection).add(row)
        return Departure(url=url, browser=browser)

    # --- and back

    async def finish(
        self, provider_id: str, answer: Answer, *, browser: str | None, address: str
    ) -> SignedIn | Tied | Confirmed | Enrolling:
        """Return what came of somebody's visit to a provider.

        Raises:
            VisitError: they were not sent from here, not there, or too long ago.
            ProviderRefusedError: it did not sign them in.
            ProviderUnreachableError, ProviderAnswerError: it is not there, or not right.
            NotAdmittedError: it knows them, but they may not come in.
            ConflictError: the account to be tied belongs to another user.
            NotSignedInError: the session that this was for has ended.
            TooManyAttemptsError: too many came from this address who were not sent.
        """
        provider = self.get(provider_id)
        try:
            visit = await self._visit(provider_id, answer, browser)
        except VisitError:
            # Of its own kind: whoever makes states up keeps nobody there from being sent, or from coming back.
            _take(self._arrivals, network_of(address))
            raise
        assert browser is not None
        assert answer.state is not None
        addresses = await provider.addresses()
        if (answer.issuer or addresses.names_itself) and answer.issuer != provider.settings.issuer:
            # RFC 9207, 2.4: an answer of another provider, sent here to have its code told to the wrong one.
            raise VisitError(
                "The answer came from another sign-in service than the one you were sent to.",
                cure="Sign in again; if it stays so, tell an administrator.",
            )
        if answer.error is not None or not answer.code:
            raise _refused(provider.settings, answer.error or "")
        purpose = Purpose(visit.purpose)
        question = _question(browser, answer.state, visit.redirect_uri, again=purpose is not Purpose.SIGN_IN)
        answered = await provider.redeem(answer.code, question, begun_s=visit.created_ns // NS_PER_S)
        came: SignedIn | Tied | Confirmed | Enrolling
        match purpose:
            case Purpose.TIE:
                came = await self._tie(provider, visit, answered.claims["sub"])
            case Purpose.CONFIRM:
                came = await self._confirm(provider, await account_of(provider, answered), visit)
            case Purpose.SIGN_IN:
                came = await self._let_in(provider, await account_of(provider, answered), visit, address)
            case Purpose.ENROL:
                came = self._enrolling(provider, await account_of(provider, answered), visit)
        self._departures.give_back(network_of(address))
        return came

    async def _visit(self, provider_id: str, answer: Answer, browser: str | None) -> VisitRow:
        if browser and answer.state:
            async with self._database.write() as connection:
                visit = await Visits(connection).take(hashed(answer.state))
            if (
                visit is not None
                and hmac.compare_digest(visit.browser_hash, hashed(browser))
                and visit.provider == provider_id
                and self._clock.wall_ns() < visit.expires_ns
            ):
                return visit
        raise VisitError(
            "This sign-in was not begun in this browser, was begun anew in another tab, or took too long.",
            cure="Go back and sign in again. Cookies of this address must be allowed.",
        )

    async def _let_in(self, provider: Provider, account: Account, visit: VisitRow, address: str) -> SignedIn:
        admitted = await self.admission.admit(provider, account)
        return await self._opened(
            provider, account, admitted, return_to=visit.return_to, earlier=visit.session_id, address=address
        )

    async def _opened(  # noqa: PLR0913 - what a sign-in is made of
        self,
        provider: Provider,
        account: Account,
        admitted: Admitted,
        *,
        return_to: str,
        earlier: str | None,
        address: str,
    ) -> SignedIn:
        identity, secret = await self.admission.open(provider, account, admitted, address=address)
        return SignedIn(
            identity=identity,
            secret=secret,
            admitted=admitted,
            methods=account.methods,
            return_to=return_to,
            earlier=earlier,
        )

    def _enrolling(self, provider: Provider, account: Account, visit: VisitRow) -> Enrolling:
        check_factors(provider, account)
        assert visit.invitation_id is not None
        return Enrolling(
            provider=provider,
            account=account,
            invitation=visit.invitation_id,
            return_to=visit.return_to,
            earlier=visit.session_id,
        )

    async def enrolled(self, came: Enrolling, user: UserRow, tied: IdentityRow, *, address: str) -> SignedIn:
        """Sign in whoever came back to enrol, now that they are a user to whom their account is tied."""
        admitted = Admitted(user=user, identity=tied, new=True, role=user.role, was=None)
        return await self._opened(
            came.provider,
            came.account,
            admitted,
            return_to=came.return_to,
            earlier=came.earlier,
            address=address,
        )

    async def _tie(self, provider: Provider, visit: VisitRow, subject: str) -> Tied:
        user_id = await self._user_of(visit)
        row = await self.admission.tie(user_id, provider.settings.issuer, subject)
        return Tied(identity=row, return_to=visit.return_to)

    async def _confirm(self, provider: Provider, account: Account, visit: VisitRow) -> Confirmed:
        user_id = await self._user_of(visit)
        async with self._database.read() as connection:
            identity = await Identities(connection).find(account.issuer, account.subject)
        if identity is None or identity.user_id != user_id:
            raise NotAdmittedError(
                "You signed in with another account than the one of this session.", cure="Confirm with your own."
            )
        # Their groups are looked at as at any sign-in: who has none any more is out, and confirms nothing.
        admitted = await self.admission.admit(provider, account)
        assert visit.session_id is not None
        await self.admission.confirm(visit.session_id, account.methods[-1])
        return Confirmed(user=admitted.user, method=account.methods[-1])

    async def _user_of(self, visit: VisitRow) -> str:
        async with self._database.read() as connection:
            user_id = await Visits(connection).user_of(visit.session_id or "")
        if user_id is None:
            raise NotSignedInError("Your session has ended meanwhile.", cure="Sign in, and begin again.")
        return user_id

    # --- and out

    async def farewell(self, session: str, *, origin: str) -> str | None:
        """Return where a browser that signs out here is to sign out too; ask before the session is ended.

        A provider that cannot be reached keeps nobody in here: then there is no such place.
        """
        async with self._database.read() as connection:
            row = await ProviderSessions(connection).get(session)
        provider = self._providers.get(row.provider) if row is not None else None
        if row is None or provider is None or not provider.settings.sign_out_there:
            return None
        try:
            return await provider.sign_out_url(row.id_token, f"{origin}/")
        except ProviderError as error:
            log.warning("oidc.farewell_failed", provider=row.provider, error=error.code)
            return None

    async def signed_out_there(self, provider_id: str, token: str) -> list[str]:
        """End the sessions that a logout token names, and return them (Back-Channel Logout 2.6, 2.7).

        Raises:
            ProviderUnknownError: no such provider.
            LogoutTokenError: it is no logout token of theirs for us.
            ProviderUnreachableError, ProviderAnswerError: its keys cannot be had.
        """
        provider = self.get(provider_id)
        wish = await provider.logout_wish(token)
        issuer = provider.settings.issuer
        now_ns = self._clock.wall_ns()
        expires_ns = min(
            (wish.expires_s + provider.settings.clock_skew_s) * NS_PER_S, now_ns + LOGOUT_KEPT_S * NS_PER_S
        )
        async with self._database.write() as connection:
            if await Visits(connection).heard(issuer, wish.jti, expires_ns=expires_ns):
                # Said twice: whoever signed in again since is not put out by the echo.
                return []
            sessions = ProviderSessions(connection)
            if wish.subject is None:
                assert wish.sid is not None
                ended = await sessions.of_sid(issuer, wish.sid)
            else:
                identity = await Identities(connection).find(issuer, wish.subject)
                ended = await sessions.of_identity(identity.id, sid=wish.sid) if identity is not None else []
        await self.admission.end(ended)
        log.info("oidc.signed_out_there", provider=provider_id, sessions=len(ended))
        return ended

    async def end_of_others(self) -> None:
        """End the sessions of providers that are set no more."""
        async with self._database.read() as connection:
            left = await ProviderSessions(connection).of_others([settings.issuer for settings in self.settings])
        if left:
            log.warning("oidc.provider_gone", sessions=len(left))
        await self.admission.end(left)


async def open_oidc(settings: Settings, database: Database, *, clock: Clock, access: Access) -> Oidc:
    """Return the providers; none of them is asked anything yet, so that one that is down keeps nothing from starting.

    Raises:
        BadValueError: a secret or authority cannot be read, or a role is unknown.
    """
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    providers = [await open_provider(one, clock=clock, credentials=credentials) for one in settings.oidc]
    admission = Admission(database, clock=clock, access=access)
    departures, arrivals = (
        Attempts(clock=clock, capacity=settings.access.address_attempts, refill_s=settings.access.address_refill_s)
        for _ in range(2)
    )
    oidc = Oidc(providers, database, clock=clock, admission=admission, departures=departures, arrivals=arrivals)
    await oidc.end_of_others()
    return oidc


def _take(attempts: Attempts, network: str) -> None:
    wait_s = attempts.wait_s(network)
    if wait_s:
        raise TooManyAttemptsError(wait_s, bucket=network)
    attempts.take(network)


def _question(browser: str, state: str, redirect_uri: str, *, again: bool) -> Question:
    """Return what goes with a browser. Nonce and verifier are made from its secret: no table of ours holds them."""

    def made(what: str) -> str:
        code = hmac.new(browser.encode(), f"{what}:{state}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(code).rstrip(b"=").decode()

    return Question(state=state, nonce=made("nonce"), verifier=made("verifier"), redirect_uri=redirect_uri, again=again)


def _refused(settings: OidcSettings, error: str) -> ProviderError:
    log.info("oidc.refused", provider=settings.id, error=error[:64])
    if error == "access_denied":
        return ProviderRefusedError(f"You were not signed in at {settings.name}.", cure="Go back and sign in again.")
    if error in {"unmet_authentication_requirements", "interaction_required", "login_required"}:
        return NotAdmittedError(
            f"{settings.name} could not sign you in as Sightline asks for it.",
            cure="Ask whoever keeps the accounts there.",
        )
    return ProviderRefusedError(
        f"The sign-in service of {settings.name} could not sign you in.",
        cure="Try again; if it stays so, tell an administrator: the log of the service says what it answered.",
    )
