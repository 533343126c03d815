"""Units that call in: their register, authority and certificates, their newest states and trends."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the tables; no unit is known yet."""
    op.create_table(
        "unit_authorities",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("key_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_authorities")),
    )
    op.create_table(
        "units",
        sa.Column("label", sa.String(length=32), nullable=False),
        sa.Column("urn", sa.String(length=200), nullable=True),
        sa.Column("serial", sa.String(length=120), nullable=False),
        sa.Column("model", sa.String(length=120), nullable=False),
        sa.Column("firmware", sa.String(length=120), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=True),
        sa.Column("budget_bytes", sa.BigInteger(), nullable=True),
        sa.Column("boot", sa.String(length=64), nullable=False),
        sa.Column("boots", sa.Text(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("heard_ns", sa.BigInteger(), nullable=True),
        sa.Column("enrolled_ns", sa.BigInteger(), nullable=False),
        sa.Column("retired_ns", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_units_device_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("label", name=op.f("pk_units")),
        sa.UniqueConstraint("urn", name=op.f("uq_units_urn")),
        sa.UniqueConstraint("device_id", name=op.f("uq_units_device_id")),
    )
    op.create_table(
        "unit_certificates",
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=32), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("issued_ns", sa.BigInteger(), nullable=False),
        sa.Column("expires_ns", sa.BigInteger(), nullable=False),
        sa.Column("revoked_ns", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["label"], ["units.label"], name=op.f("fk_unit_certificates_label"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_unit_certificates")),
    )
    op.create_index(op.f("ix_unit_certificates_label"), "unit_certificates", ["label"], unique=False)
    op.create_table(
        "unit_states",
        sa.Column("label", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("boot", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("unit_ns", sa.BigInteger(), nullable=False),
        sa.Column("taken_ns", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["label"], ["units.label"], name=op.f("fk_unit_states_label"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("label", "kind", name=op.f("pk_unit_states")),
    )
    op.create_table(
        "unit_trends",
        sa.Column("label", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("anew", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["label"], ["units.label"], name=op.f("fk_unit_trends_label"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("label", "kind", "at_ns", name=op.f("pk_unit_trends")),
    )
    op.create_index("ix_unit_trends_at_ns", "unit_trends", ["at_ns"], unique=False)
