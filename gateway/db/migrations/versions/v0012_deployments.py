"""Deployments of mobile cameras, and where every camera stood when."""

import sqlalchemy as sa
from alembic import op

from gateway.db.dialects import append_only

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the tables; every camera has stood where it stands since it was enrolled, as far as is known."""
    op.create_table(
        "deployables",
        sa.Column("urn", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("marked_by", sa.String(length=32), nullable=False),
        sa.Column("marked_ns", sa.BigInteger(), nullable=False),
        sa.Column("thin_link", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("urn", name=op.f("pk_deployables")),
    )
    op.create_table(
        "deployments",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("urn", sa.String(length=200), nullable=False),
        sa.Column("changed_ns", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployments")),
    )
    op.create_index("ix_deployments_stage", "deployments", ["stage"], unique=False)
    op.create_index("ix_deployments_urn", "deployments", ["urn"], unique=False)
    standing = sa.text("stage = 'deployed'")
    op.create_index(
        "uq_deployments_standing",
        "deployments",
        ["urn"],
        unique=True,
        sqlite_where=standing,
        postgresql_where=standing,
    )
    op.create_table(
        "deployment_entries",
        sa.Column("deployment_id", sa.String(length=32), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("done_ns", sa.BigInteger(), nullable=False),
        sa.Column("clock_offset_ms", sa.BigInteger(), nullable=True),
        sa.Column("doubt", sa.String(length=200), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"], ["deployments.id"], name=op.f("fk_deployment_entries_deployment_id")
        ),
        sa.PrimaryKeyConstraint("deployment_id", "n", name=op.f("pk_deployment_entries")),
        sa.UniqueConstraint("deployment_id", "key", name=op.f("uq_deployment_entries_deployment_id_key")),
    )
    op.create_index("ix_deployment_entries_user_id", "deployment_entries", ["user_id", "at_ns"], unique=False)
    append_only("deployment_entries", op.get_context().dialect.name, op.execute)
    op.create_table(
        "deployment_pictures",
        sa.Column("deployment_id", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("camera", sa.String(length=32), nullable=False),
        sa.Column("seen_ns", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"], ["deployments.id"], name=op.f("fk_deployment_pictures_deployment_id")
        ),
        sa.PrimaryKeyConstraint("deployment_id", "sha256", name=op.f("pk_deployment_pictures")),
    )
    op.create_index("ix_deployment_pictures_seen_ns", "deployment_pictures", ["seen_ns"], unique=False)
    op.create_table(
        "unjudged_reports",
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("urn", sa.String(length=200), nullable=False),
        sa.Column("label", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("boot", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("unit_ns", sa.BigInteger(), nullable=False),
        sa.Column("taken_ns", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_unjudged_reports")),
    )
    op.create_table(
        "camera_stays",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("camera_id", sa.String(length=32), nullable=False),
        sa.Column("from_ns", sa.BigInteger(), nullable=False),
        sa.Column("to_ns", sa.BigInteger(), nullable=True),
        sa.Column("street", sa.String(length=120), nullable=False),
        sa.Column("latitude_deg", sa.Float(), nullable=True),
        sa.Column("longitude_deg", sa.Float(), nullable=True),
        sa.Column("height_m", sa.Float(), nullable=True),
        sa.Column("bearing_deg", sa.Float(), nullable=True),
        sa.Column("bounds", sa.Text(), nullable=True),
        sa.Column("hfov_deg", sa.Float(), nullable=True),
        sa.Column("presets", sa.Text(), nullable=True),
        sa.Column("reference_ns", sa.BigInteger(), nullable=True),
        sa.Column("reference", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_camera_stays")),
    )
    op.create_index("ix_camera_stays_camera_id", "camera_stays", ["camera_id", "from_ns"], unique=False)
    op.execute(
        "INSERT INTO camera_stays"
        " (id, camera_id, from_ns, street, latitude_deg, longitude_deg, height_m, bearing_deg)"
        " SELECT id, id, enrolled_ns, street, latitude_deg, longitude_deg, height_m, bearing_deg FROM cameras"
    )
    op.create_table(
        "confirmed_presets",
        sa.Column("camera_id", sa.String(length=32), nullable=False),
        sa.Column("token", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["cameras.id"], name=op.f("fk_confirmed_presets_camera_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("camera_id", "token", name=op.f("pk_confirmed_presets")),
    )
