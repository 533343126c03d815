"""Broken glass that no supervisor has acknowledged yet: whoever comes later is told of it too."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

# Of what was closed before its time the grant is gone: that is in the audit alone.
_NOT_ACKNOWLEDGED = """
INSERT INTO glass_breaks (id, user_id, name, reason, starts_ns, ends_ns)
SELECT grants.id, users.id, CASE WHEN users.name = '' THEN users.username ELSE users.name END,
       grants.reason, grants.starts_ns, grants.ends_ns
FROM grants JOIN users ON users.id = grants.user_id
WHERE grants.kind = 'glass' AND grants.ends_ns IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM audit_entries
    WHERE audit_entries.action = 'access.glass-acknowledged' AND audit_entries.subject = grants.id)
"""


def upgrade() -> None:
    """Create the table, with what was broken before and nobody acknowledged."""
    op.create_table(
        "glass_breaks",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("starts_ns", sa.BigInteger(), nullable=False),
        sa.Column("ends_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_glass_breaks")),
    )
    op.execute(_NOT_ACKNOWLEDGED)
