"""One provider of accounts: its discovery document, its keys, and the questions that a sign-in asks it."""

import asyncio
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlencode

import structlog
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.client import OAuth2Client
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from config.errors import BadValueError
from config.oidc import OidcSettings
from gateway.access.oidc.errors import LogoutTokenError, ProviderAnswerError, ProviderRefusedError
from gateway.access.oidc.kept import Kept
from gateway.access.oidc.mapping import GroupMapping
from gateway.access.oidc.tokens import (
    ALGORITHMS,
    BadTokenError,
    Expected,
    Logout,
    id_claims,
    key_set,
    logout,
    registry,
)
from gateway.access.oidc.web import ProviderWeb
from kernel.clock import NS_PER_S, Clock

log = structlog.get_logger()

WELL_KNOWN = "/.well-known/openid-configuration"
TOKEN_MAX_CHARS = 128_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """What the discovery document says (OpenID Connect Discovery 3, RP-Initiated Logout 2.1, RFC 9207 3)."""

    authorization: str
    token: str
    keys: str
    account: str | None
    end_session: str | None
    names_itself: bool
    """Its answers say whose they are (``iss``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a browser is sent with, and what comes back must fit."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    again: bool = False
    """The person is to prove themselves anew, whatever the provider remembers of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of a code: the ID token as it is and as it reads, and the token to ask for more with."""

    id_token: str
    claims: dict[str, Any]
    access_token: str | None


class Provider:
    """A provider. Nothing is asked of it before somebody wants to sign in there."""

    def __init__(self, settings: OidcSettings, *, clock: Clock, secret: str | None, tls: ssl.SSLContext) -> None:
        self.settings = settings
        self.mapping = GroupMapping.of(settings)
        self._clock = clock
        self._web = ProviderWeb(settings, tls)
        self._addresses: Kept[Addresses] = Kept(self._discover, clock=clock)
        self._keys: Kept[KeySet] = Kept(self._fetch_keys, clock=clock)
        # RFC 6749, 2.3.1: both are form-encoded before they go into the header, which Authlib leaves to us.
        basic = settings.client_auth == "client_secret_basic"
        encoded = (quote_plus(settings.client_id), quote_plus(secret)) if secret is not None and basic else None
        self._auth = ClientAuth(
            encoded[0] if encoded else settings.client_id,
            encoded[1] if encoded else secret,
            settings.client_auth if secret is not None else "none",
        )
        self._client = OAuth2Client(None, client_id=settings.client_id, code_challenge_method="S256")

    async def addresses(self) -> Addresses:
        """Return where to ask what.

        Raises:
            ProviderUnreachableError, ProviderAnswerError: it cannot be had.
        """
        return await self._addresses.get()

    async def sign_in_url(self, question: Question) -> str:
        """Return where to send a browser (Core 3.1.2.1, PKCE: RFC 7636).

        Raises:
            ProviderUnreachableError, ProviderAnswerError: see :meth:`addresses`.
        """
        more = {"prompt": "login", "max_age": "0"} if question.again else {}
        if self.settings.acr_values:
            more["acr_values"] = " ".join(self.settings.acr_values)
        url, _ = self._client.create_authorization_url(
            (await self.addresses()).authorization,
            state=question.state,
            code_verifier=question.verifier,
            redirect_uri=question.redirect_uri,
            scope=" ".join(self.settings.scopes),
            nonce=question.nonce,
            response_mode="query",
            **more,
        )
        return str(url)

    async def sign_out_url(self, id_token: str, back_to: str) -> str | None:
        """Return where a browser signs out there (RP-Initiated Logout 2); ``None`` where it cannot.

        Raises:
            ProviderUnreachableError, ProviderAnswerError: see :meth:`addresses`.
        """
        address = (await self.addresses()).end_session
        if address is None:
            return None
        asked = {
            "id_token_hint": id_token,
            "client_id": self.settings.client_id,
            "post_logout_redirect_uri": back_to,
        }
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"

    async def redeem(self, code: str, question: Question, *, begun_s: int) -> Answered:
        """Return what a code stands for (Core 3.1.3).

        Raises:
            ProviderRefusedError: the code does not count, or no more.
            ProviderUnreachableError: no answer.
            ProviderAnswerError: an answer that is not for us, now.
        """
        address = (await self.addresses()).token
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": question.redirect_uri,
            "code_verifier": question.verifier,
        }
        url, headers, body = self._auth.prepare("POST", address, {}, urlencode(form))
        status, said = await self._web.post(url, headers=headers, body=body)
        if status != 200:
            log.warning(
                "oidc.code_refused", provider=self.settings.id, status=status, error=str(said.get("error"))[:64]
            )
            raise ProviderRefusedError(
                f"The sign-in service of {self.settings.name} did not complete the sign-in.",
                cure="Sign in once more; if it stays so, an administrator should look at client_id and its secret.",
            )
        id_token, access_token = said.get("id_token"), said.get("access_token")
        if not isinstance(id_token, str):
            raise self._odd("no ID token")
        access_token = access_token if isinstance(access_token, str) else None
        try:
            claims = id_claims(
                await self._proved(id_token),
                Expected(
                    issuer=self.settings.issuer,
                    client_id=self.settings.client_id,
                    nonce=question.nonce,
                    access_token=access_token,
                    begun_s=begun_s,
                    now_s=self._now_s,
                    skew_s=self.settings.clock_skew_s,
                    again=question.again,
                ),
            )
        except BadTokenError as fault:
            raise self._odd(f"ID token: {fault}") from None
        return Answered(id_token=id_token, claims=claims, access_token=access_token)

    async def account(self, answered: Answered) -> dict[str, Any]:
        """Return what the provider tells of a person beside the ID token (Core 5.3); nothing where it does not.

        Raises:
            ProviderUnreachableError: no answer.
            ProviderAnswerError: an answer of another kind, or about somebody else.
        """
        address = (await self.addresses()).account
        if address is None or answered.access_token is None:
            return {}
        said = await self._web.get(address, bearer=answered.access_token)
        if said.get("sub") != answered.claims["sub"]:
            # Core 5.3.2: else one token could be answered with another person's account.
            raise self._odd("an account of somebody else")
        return said

    async def logout_wish(self, token: str) -> Logout:
        """Return what a logout token asks for.

        Raises:
            LogoutTokenError: it is none of this provider's.
            ProviderUnreachableError, ProviderAnswerError: its keys cannot be had.
        """
        try:
            return logout(
                await self._proved(token),
                issuer=self.settings.issuer,
                client_id=self.settings.client_id,
                now_s=self._now_s,
                skew_s=self.settings.clock_skew_s,
            )
        except BadTokenError as fault:
            log.warning("oidc.logout_refused", provider=self.settings.id, found=str(fault))
            raise LogoutTokenError("That is no logout token for Sightline.", found=str(fault)) from None

    @property
    def _now_s(self) -> int:
        return self._clock.wall_ns() // NS_PER_S

    async def _proved(self, token: str) -> jwt.Token:
        """Return a token whose signature holds; keys are asked for anew where it names one that we have not."""
        if len(token) > TOKEN_MAX_CHARS:
            msg = "the token is too long"
            raise BadTokenError(msg)
        keys = await self._keys.get()
        try:
            return _decoded(token, keys)
        except (InvalidKeyIdError, BadSignatureError) as error:
            newer = await self._keys.get(renew=True)
            if newer is keys:
                raise BadTokenError(str(error)) from None
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise BadTokenError(str(error)) from None
        try:
            return _decoded(token, newer)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise BadTokenError(str(error)) from None

    async def _discover(self) -> Addresses:
        said = await self._web.get(self._web.check(self.settings.issuer.rstrip("/") + WELL_KNOWN))
        if said.get("issuer") != self.settings.issuer:
            # Discovery 4.3: else any host could speak for any issuer.
            raise self._odd(f"discovery document of {str(said.get('issuer'))[:200]!r}")

        def named(key: str) -> str | None:
            address = said.get(key)
            return address if isinstance(address, str) and address else None

        authorization, token, keys = (named(key) for key in ("authorization_endpoint", "token_endpoint", "jwks_uri"))
        if authorization is None or token is None or keys is None:
            raise self._odd("discovery document without endpoints")
        account, end_session = named("userinfo_endpoint"), named("end_session_endpoint")
        for address in (authorization, end_session):
            if address is not None:
                self._web.check_scheme(address)
        for address in (token, keys, account):
            if address is not None:
                self._web.check(address)
        return Addresses(
            authorization=authorization,
            token=token,
            keys=keys,
            account=account,
            end_session=end_session,
            names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        )

    async def _fetch_keys(self) -> KeySet:
        try:
            return key_set(await self._web.get((await self.addresses()).keys))
        except BadTokenError as fault:
            raise self._odd(str(fault)) from None

    def _odd(self, found: str) -> ProviderAnswerError:
        log.warning("oidc.odd_answer", provider=self.settings.id, found=found)
        return ProviderAnswerError(
            f"The sign-in service of {self.settings.name} gives an answer that Sightline does not accept.",
            cure="Sign in once more; if it stays so, tell an administrator: the log of the service says what.",
            found=found,
        )


def _decoded(token: str, keys: KeySet) -> jwt.Token:
    return jwt.decode(token, keys, algorithms=ALGORITHMS, registry=registry())


async def open_provider(settings: OidcSettings, *, clock: Clock, credentials: str | None) -> Provider:
    """Return a provider with its secret and its authority read from their files.

    Raises:
        BadValueError: one of them cannot be read, or a role is unknown.
    """

    def read() -> tuple[str | None, ssl.SSLContext]:
        return _secret(settings, credentials), _tls(settings)

    secret, tls = await asyncio.to_thread(read)
    return Provider(settings, clock=clock, secret=secret, tls=tls)


def _secret(settings: OidcSettings, credentials: str | None) -> str | None:
    path = settings.client_secret_file
    if path is None:
        path = Path(credentials) / f"oidc-{settings.id}" if credentials is not None else None
        if path is None or not path.exists():
            return None
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        secret = ""
    if not secret:
        raise BadValueError(
            f"oidc.client_secret_file of {settings.id} cannot be read, or is empty: {path}.",
            cure="Let the user who runs Sightline read it.",
            key="oidc.client_secret_file",
        )
    if settings.client_secret_file is not None and path.stat().st_mode & 0o007:
        raise BadValueError(
            f"oidc.client_secret_file of {settings.id} can be read by everybody: {path}.",
            cure=f"chmod o= {path}",
            key="oidc.client_secret_file",
        )
    return secret


def _tls(settings: OidcSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=os.fspath(settings.ca_file) if settings.ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise BadValueError(
            f"oidc.ca_file of {settings.id} cannot be used: {error}.",
            cure="Give a PEM file with the certificate of the authority.",
            key="oidc.ca_file",
        ) from None
