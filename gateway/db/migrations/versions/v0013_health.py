"""Health: what cameras are to show, what became of their days, also once removed, and what was put off."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
FIGURES = (
    "recorded_ns",
    "lost_camera_ns",
    "lost_network_ns",
    "lost_host_ns",
    "lost_storage_ns",
    "withheld_ns",
    "off_ns",
    "unknown_ns",
)


def upgrade() -> None:
    """Create the tables; no camera has a reference view yet, and nothing was put off."""
    op.create_table(
        "reference_views",
        sa.Column("camera_id", sa.String(length=32), nullable=False),
        sa.Column("taken_ns", sa.BigInteger(), nullable=False),
        sa.Column("grey", sa.LargeBinary(), nullable=False),
        sa.Column("pan", sa.Float(), nullable=True),
        sa.Column("tilt", sa.Float(), nullable=True),
        sa.Column("zoom", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.id"], name=op.f("fk_reference_views_camera_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("camera_id", name=op.f("pk_reference_views")),
    )
    op.create_table(
        "past_cameras",
        sa.Column("camera_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("camera_group", sa.String(length=120), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=True) for name in ("latitude_deg", "longitude_deg", "height_m")),
        sa.Column("host", sa.Integer(), nullable=False),
        sa.Column("enrolled_ns", sa.BigInteger(), nullable=False),
        sa.Column("removed_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("camera_id", name=op.f("pk_past_cameras")),
    )
    op.create_table(
        "camera_days",
        sa.Column("camera_id", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in FIGURES),
        sa.Column("clock_offset_s", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("camera_id", "day", name=op.f("pk_camera_days")),
    )
    op.create_table(
        "put_offs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("camera_id", sa.String(length=32), nullable=True),
        sa.Column("unit", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("urgency", sa.String(length=16), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_name", sa.String(length=250), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("until_ns", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.id"], name=op.f("fk_put_offs_camera_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["unit"], ["units.label"], name=op.f("fk_put_offs_unit"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_put_offs")),
        sa.UniqueConstraint("camera_id", "kind", name=op.f("uq_put_offs_camera_id_kind")),
        sa.UniqueConstraint("unit", "kind", name=op.f("uq_put_offs_unit_kind")),
        sa.CheckConstraint("(camera_id IS NULL) <> (unit IS NULL)", name=op.f("ck_put_offs_whose")),
    )
