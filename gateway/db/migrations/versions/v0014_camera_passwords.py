"""Passwords of cameras: the one that is being given to it, and since when it is one that we made."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Create the table; every camera has the password that it was enrolled with."""
    op.create_table(
        "device_passwords",
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.Column("next_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("changed_ns", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_device_passwords_device_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_device_passwords")),
    )
