"""Passkeys (W3C Web Authentication Level 3): what a browser is asked, and whether what it answers holds.

The user is verified by the authenticator each time (PIN, finger, face): a passkey alone is two factors.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from gateway.access.errors import CredentialsError
from gateway.access.identity import Identity
from gateway.db.factors import PasskeyRow

NAME = "Sightline"
ANSWER_MS = 120_000
"""How long the browser may take to ask its user."""

_BAD = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError)
"""What the library raises at an answer that is wrong or is nonsense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the browser thinks it is. A passkey made at one ``rp_id`` works at no other."""

    rp_id: str
    """Host name."""
    origin: str
    """As in ``https://cctv.example.org:8443``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPasskey:
    """What a registration gave. ``credential_id`` is base64url."""

    credential_id: str
    public_key: bytes
    sign_count: int


def creation_options(site: Site, who: Identity, *, challenge: bytes, known: Iterable[PasskeyRow]) -> dict[str, Any]:
    """Return what ``navigator.credentials.create`` is to be asked, as JSON (section 5.1.9)."""
    options = webauthn.generate_registration_options(
        rp_id=site.rp_id,
        rp_name=NAME,
        user_id=who.user_id.encode(),
        user_name=who.username,
        user_display_name=who.name,
        challenge=challenge,
        timeout=ANSWER_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(site, known),
    )
    return _plain(webauthn.options_to_json(options))


def created(site: Site, *, challenge: bytes, credential: dict[str, Any]) -> NewPasskey:
    """Return the passkey of an answer (section 7.1).

    Raises:
        CredentialsError: it does not hold.
    """
    try:
        verified = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except _BAD as error:
        raise CredentialsError("The passkey could not be taken.", cure="Try again, or use another one.") from error
    return NewPasskey(
        credential_id=bytes_to_base64url(verified.credential_id),
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
    )


def request_options(site: Site, *, challenge: bytes, known: Iterable[PasskeyRow] = ()) -> dict[str, Any]:
    """Return what ``navigator.credentials.get`` is to be asked; with no passkey ``known`` the user picks one."""
    options = webauthn.generate_authentication_options(
        rp_id=site.rp_id,
        challenge=challenge,
        timeout=ANSWER_MS,
        allow_credentials=_descriptors(site, known),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _plain(webauthn.options_to_json(options))


def credential_id(credential: dict[str, Any]) -> str:
    """Return which passkey an answer is from, in base64url without padding."""
    return str(credential.get("id", "")).rstrip("=")


def user_handle(credential: dict[str, Any]) -> str | None:
    """Return whose the authenticator says the passkey is; ``None`` where it does not say."""
    response = credential.get("response")
    handle = response.get("userHandle") if isinstance(response, dict) else None
    if not isinstance(handle, str):
        return None
    try:
        return base64url_to_bytes(handle).decode()
    except ValueError:
        return ""


def new_count(site: Site, row: PasskeyRow, *, challenge: bytes, credential: dict[str, Any]) -> int:
    """Return the signature counter of an answer that holds (section 7.2).

    Raises:
        CredentialsError: it does not: wrong key, challenge, site or user not verified, or a counter that went back,
            as that of a copied authenticator does.
    """
    try:
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )
    except _BAD as error:
        raise CredentialsError("The passkey was not accepted.", cure="Try again, or use another way.") from error
    return verified.new_sign_count


def _descriptors(site: Site, known: Iterable[PasskeyRow]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(id=base64url_to_bytes(row.credential_id))
        for row in known
        if row.rp_id == site.rp_id
    ]


def _plain(text: str) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(text)
    return plain
