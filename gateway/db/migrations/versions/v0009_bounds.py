"""Limits and no-look zones of heads."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the table; no camera has any yet."""
    op.create_table(
        "camera_bounds",
        sa.Column("camera_id", sa.String(length=32), nullable=False),
        sa.Column("bounds", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.id"], name=op.f("fk_camera_bounds_camera_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("camera_id", name=op.f("pk_camera_bounds")),
    )
