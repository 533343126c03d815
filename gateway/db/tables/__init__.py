"""The tables as they are now. Migrations bring a database here; a test proves that they do.

Times are nanoseconds since 1970 UTC. Only types that SQLite and PostgreSQL share.
"""

from gateway.db.tables.base import metadata
from gateway.db.tables.cameras import (
    camera_bounds,
    camera_days,
    cameras,
    device_passwords,
    devices,
    put_offs,
    reference_views,
)
from gateway.db.tables.deployments import (
    camera_stays,
    confirmed_presets,
    deployables,
    deployment_entries,
    deployments,
)
from gateway.db.tables.people import (
    codes,
    identities,
    known_devices,
    logout_tokens,
    passkeys,
    provider_sessions,
    provider_visits,
    recovery_codes,
    sessions,
    tokens,
    totp,
    users,
)
from gateway.db.tables.record import audit_entries, audit_open, audit_personal, audit_tree
from gateway.db.tables.rights import (
    access_version,
    bundles,
    camera_group_members,
    camera_groups,
    grants,
    team_members,
    teams,
)
from gateway.db.tables.sharing import (
    invitations,
    organisations,
    recipients,
    room_tests,
    share_notes,
    share_outlets,
    share_recipients,
    shares,
)
from gateway.db.tables.units import unit_authorities, unit_certificates, unit_states, unit_trends, units

__all__ = [
    "access_version",
    "audit_entries",
    "audit_open",
    "audit_personal",
    "audit_tree",
    "bundles",
    "camera_bounds",
    "camera_days",
    "camera_group_members",
    "camera_groups",
    "camera_stays",
    "cameras",
    "codes",
    "confirmed_presets",
    "deployables",
    "deployment_entries",
    "deployments",
    "device_passwords",
    "devices",
    "grants",
    "identities",
    "invitations",
    "known_devices",
    "logout_tokens",
    "metadata",
    "organisations",
    "passkeys",
    "provider_sessions",
    "provider_visits",
    "put_offs",
    "recipients",
    "recovery_codes",
    "reference_views",
    "room_tests",
    "sessions",
    "share_notes",
    "share_outlets",
    "share_recipients",
    "shares",
    "team_members",
    "teams",
    "tokens",
    "totp",
    "unit_authorities",
    "unit_certificates",
    "unit_states",
    "unit_trends",
    "units",
    "users",
]
