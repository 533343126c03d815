"""Deployments of mobile cameras, their log, and where every camera stood when."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from gateway.db.tables.base import metadata

deployables = Table(
    "deployables",  # devices that move, by their endpoint reference: never by address, and also when enrolled anew
    metadata,
    Column("urn", String(200), primary_key=True),
    Column("unit", String(64), nullable=False),
    Column("marked_by", String(32), nullable=False),
    Column("marked_ns", BigInteger, nullable=False),
    Column("thin_link", Boolean, nullable=False),
)

deployments = Table(
    "deployments",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("stage", String(16), nullable=False, index=True),
    Column("urn", String(200), nullable=False, index=True),  # empty before it is planned
    Column("changed_ns", BigInteger, nullable=False),
    Column("entries", Integer, nullable=False),  # lines of its log
    Column("record", Text, nullable=False),  # JSON: gateway.deployments.life.Deployment
    Index(
        "uq_deployments_standing",  # one unit stands at one place
        "urn",
        unique=True,
        sqlite_where=text("stage = 'deployed'"),
        postgresql_where=text("stage = 'deployed'"),
    ),
)

deployment_entries = Table(
    "deployment_entries",  # append-only: a trigger refuses anything else
    metadata,
    Column("deployment_id", String(32), ForeignKey("deployments.id"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("at_ns", BigInteger, nullable=False),  # when it came
    Column("done_ns", BigInteger, nullable=False),  # when it was done, which a phone without a network says later
    Column("clock_offset_ms", BigInteger),  # the sender's clock less ours; none: it said nothing
    Column("doubt", String(200), nullable=False),  # why what the sender said of its time is not believed
    Column("step", String(16), nullable=False),
    Column("user_id", String(32), nullable=False),
    Column("name", String(120), nullable=False),
    Column("said", Text, nullable=False),  # JSON: what was said in it
    Column("key", String(64)),  # the sender's own word for it, so that what is sent twice is done once
    Column("digest", String(64), nullable=False),  # SHA-256 over the entry and the digest before it, in hex
    UniqueConstraint("deployment_id", "key"),
    Index("ix_deployment_entries_user_id", "user_id", "at_ns"),
)

deployment_pictures = Table(
    "deployment_pictures",  # pictures of alarms that are kept: each until the footage of its camera and time goes
    metadata,
    Column("deployment_id", String(32), ForeignKey("deployments.id"), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("camera", String(32), nullable=False),
    Column("seen_ns", BigInteger, nullable=False, index=True),
)

unjudged_reports = Table(
    "unjudged_reports",  # what was said of units that stand somewhere, from its commit until it was judged
    metadata,
    # In SQLite an INTEGER primary key is the table's own order; any other type is one more index.
    Column("n", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("urn", String(200), nullable=False),
    Column("label", String(32), nullable=False),  # empty: the camera said it itself
    Column("kind", String(40), nullable=False),
    Column("boot", String(64), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("unit_ns", BigInteger, nullable=False),
    Column("taken_ns", BigInteger, nullable=False),
    Column("payload", Text, nullable=False),  # JSON
)

camera_stays = Table(
    "camera_stays",  # without foreign key: recordings outlive their camera
    metadata,
    Column("id", String(32), primary_key=True),
    Column("camera_id", String(32), nullable=False),
    Column("from_ns", BigInteger, nullable=False),
    Column("to_ns", BigInteger),  # none: it stands there now
    Column("street", String(120), nullable=False),
    Column("latitude_deg", Float),
    Column("longitude_deg", Float),
    Column("height_m", Float),
    Column("bearing_deg", Float),
    # What it had there when it left:
    Column("bounds", Text),  # JSON: ptz.bounds.Bounds
    Column("hfov_deg", Float),
    Column("presets", Text),  # JSON: a list of token and name
    Column("reference_ns", BigInteger),  # when its reference view was taken
    Column("reference", LargeBinary),  # as in reference_views
    Index("ix_camera_stays_camera_id", "camera_id", "from_ns"),
)

confirmed_presets = Table(
    "confirmed_presets",  # presets that were stored here, and when: of a camera that has moved, whether where it stands
    metadata,
    Column("camera_id", String(32), ForeignKey("cameras.id", ondelete="CASCADE"), primary_key=True),
    Column("token", String(128), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
)
