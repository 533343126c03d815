"""Signing in with accounts that others keep: OpenID Connect providers (docs/design/oidc.md)."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

ProviderId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Word = Annotated[str, Field(min_length=1, max_length=200)]
HostName = Annotated[str, Field(pattern=r"^[a-z0-9.-]{1,253}(:[0-9]{1,5})?$")]


class OidcSettings(BaseModel):
    """A provider of accounts (OpenID Connect), the borough's own or a partner force's; as many tables as there are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: ProviderId
    """Short name in addresses: the provider is told to send people back to
    ``https://HOST/api/v1/oidc/ID/callback``."""
    name: Annotated[str, Field(min_length=1, max_length=80)]
    """What the sign-in button says after "Sign in with"."""
    issuer: Annotated[str, Field(max_length=500)]
    """The provider's address, exactly as its discovery document names it; https, or http on loopback."""
    client_id: Word
    """What the provider calls Sightline."""
    client_secret_file: Path | None = None
    """File with the secret that goes with it. Without one, the systemd credential ``oidc-ID`` is taken; without either
    Sightline is a public client, which PKCE allows."""
    client_auth: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"
    """How the secret is presented."""
    hosts: tuple[HostName, ...] = ()
    """Other hosts that the gateway may ask for tokens, keys and accounts; without any, the issuer's own alone."""
    ca_file: Path | None = None
    """PEM file with the authority that signed the provider's certificate, where the system knows it not."""
    scopes: tuple[Annotated[str, Field(pattern=r"^[!#-\[\]-~]+$")], ...] = ("openid", "profile")
    """What is asked for; ``openid`` is always among it."""
    groups_claim: Word = "groups"
    """Claim that lists the groups of a person; a dot leads into an inner object, as in "realm_access.roles"."""
    groups: Annotated[dict[Word, Word], Field(min_length=1)]
    """From a group there to a role here, or with "role:NAME" to one of the site's own making. The first line that fits
    decides; nobody outside these groups gets in."""
    username_claim: Word = "preferred_username"
    """Claim that a new user is named by. People are known by issuer and ``sub`` alone, whatever they are called."""
    acr_values: tuple[Word, ...] = ()
    """Kinds of sign-in (``acr``) that are asked of the provider."""
    two_factor_acr: tuple[Word, ...] = ()
    """Kinds of sign-in (``acr``) that count as two factors ..."""
    two_factor_amr: tuple[Word, ...] = ("mfa",)
    """... and methods (``amr``) that do."""
    require_two_factor: bool = False
    """Refuse a sign-in that the provider does not say was made with two factors."""
    max_session_s: Annotated[int, Field(ge=300, le=604_800)] = 43_200
    """A session ends this long after its sign-in: a group taken away there is taken away here by then."""
    sign_out_there: bool = True
    """Signing out here signs out at the provider too, so that the next person at the desk is not let in as the last."""
    clock_skew_s: Annotated[int, Field(ge=0, le=300)] = 60
    """How far the provider's clock may be from ours."""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    """How long the provider may take over one answer."""

    @field_validator("issuer")
    @classmethod
    def _reachable(cls, issuer: str) -> str:
        parts = urlsplit(issuer)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or parts.fragment:
            msg = f'{issuer!r} is not an issuer such as "https://login.example.org"'
            raise ValueError(msg)
        if parts.username is not None or parts.password is not None:
            msg = "an issuer has no user name or password in it"
            raise ValueError(msg)
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            msg = f"{issuer!r} must be https: http is for a provider on this machine alone"
            raise ValueError(msg)
        return issuer

    @field_validator("scopes")
    @classmethod
    def _openid(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        return scopes if "openid" in scopes else ("openid", *scopes)

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.require_two_factor and not self.two_factor_acr and not self.two_factor_amr:
            msg = "require_two_factor needs two_factor_acr or two_factor_amr: else nobody is let in"
            raise ValueError(msg)
        return self


def is_loopback(host: str) -> bool:
    """Return whether a host of an address is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
