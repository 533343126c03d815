"""From what a provider says of a person to what they are here: groups to a role, ``acr`` and ``amr`` to methods."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self

from config.errors import BadValueError
from config.oidc import OidcSettings
from gateway.access.permissions import Role
from gateway.access.service import PROVIDER

SECOND_FACTOR = "mfa"
"""The method of a session that a provider says was let in with two factors."""


OWN_ROLE = "role:"
"""Begins the name of a role of the site's own making. Those are kept in the database and may come and go."""


@dataclass(frozen=True, slots=True)
class OwnRole:
    """A role of the site's own making, by its name."""

    name: str


Given = Role | OwnRole
"""What a group makes somebody here."""


@dataclass(frozen=True, slots=True)
class GroupMapping:
    """Groups there, and the role here that each gives: the first that a person is in decides."""

    lines: tuple[tuple[str, Given], ...]

    @classmethod
    def of(cls, settings: OidcSettings) -> Self:
        """Return the mapping of a provider.

        Raises:
            BadValueError: a role that there is not.
        """
        return cls(tuple((group, _given(settings, group, role)) for group, role in settings.groups.items()))

    def role(self, groups: Collection[str]) -> Given | None:
        """Return what somebody in these groups is here; ``None``: nobody."""
        return next((role for group, role in self.lines if group in groups), None)


def _given(settings: OidcSettings, group: str, role: str) -> Given:
    own = role.removeprefix(OWN_ROLE).strip()
    if role.startswith(OWN_ROLE) and own:
        return OwnRole(own)
    known = {role.value for role in Role}
    if role not in known:
        raise BadValueError(
            f"oidc.groups of {settings.id} makes {group} a {role}, and there is no such role.",
            cure=f"The roles are {', '.join(sorted(known))}, and {OWN_ROLE}NAME for one of the site's own.",
            key="oidc.groups",
        )
    return Role(role)


def claimed(claims: Mapping[str, Any], path: str) -> Any:
    """Return the claim of that very name, or where it has dots, inside objects; ``None`` where there is none."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def groups_in(claims: Mapping[str, Any], path: str) -> frozenset[str] | None:
    """Return the groups that a claim lists; ``None`` where it is not there, so that one asks elsewhere."""
    found = claimed(claims, path)
    if isinstance(found, str):
        return frozenset({found})
    if isinstance(found, list):
        return frozenset(group for group in found if isinstance(group, str))
    return None


def left_out(claims: Mapping[str, Any], path: str) -> bool:
    """Return whether the provider says that it left the groups out (OpenID Connect Core 5.6.2, distributed claims)."""
    named = claims.get("_claim_names")
    return isinstance(named, Mapping) and path in named


def methods_in(claims: Mapping[str, Any], settings: OidcSettings) -> tuple[str, ...]:
    """Return by what a session was opened (``acr``: Core 2; ``amr``: RFC 8176)."""
    methods = claims.get("amr")
    said = set(map(str, methods)) if isinstance(methods, list) else set()
    two = claims.get("acr") in settings.two_factor_acr or bool(said & set(settings.two_factor_amr))
    return (PROVIDER, SECOND_FACTOR) if two else (PROVIDER,)
