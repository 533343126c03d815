"""Which incident or request a session works on."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column; nobody has said anything yet."""
    op.add_column("sessions", sa.Column("reference", sa.String(length=120), nullable=False, server_default=""))
