"""Visits to a provider by whoever was invited: the account stands in place of a password."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the column; of the visits under way none is of that kind."""
    op.add_column("provider_visits", sa.Column("invitation_id", sa.String(length=32), nullable=True))
