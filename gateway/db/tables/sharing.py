"""Partners, and what is shared with them."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from gateway.db.tables.base import metadata

organisations = Table(
    "organisations",  # of partners: forces, other rooms
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(120), nullable=False, unique=True),
    Column("networks", Text, nullable=False),  # JSON list of CIDRs; empty is anywhere
    Column("certificate", String(64)),  # SHA-256 of the client certificate that they must show, in hex
    Column("disabled", Boolean, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
)

recipients = Table(
    "recipients",
    metadata,
    Column("user_id", String(32), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "organisation_id", String(32), ForeignKey("organisations.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("name", String(120), nullable=False),
    Column("invited_by", String(32), nullable=False),
    Column("enrolled_ns", BigInteger, nullable=False),
    Column("terms_version", String(32)),
    Column("terms_ns", BigInteger),
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("secret_hash", String(64), nullable=False, unique=True),
    Column(
        "organisation_id", String(32), ForeignKey("organisations.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("username", String(64), nullable=False),
    Column("name", String(120), nullable=False),
    Column("invited_by", String(32), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
)

shares = Table(
    "shares",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("title", String(120), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("organisation_id", String(32), ForeignKey("organisations.id", ondelete="CASCADE"), nullable=False),
    Column("everybody", Boolean, nullable=False),  # of the organisation; otherwise those in share_recipients
    Column("follows", Boolean, nullable=False),
    Column("cameras", Text, nullable=False),  # JSON list; of a share that follows, the one selected now or none
    Column("reference", String(120), nullable=False),
    Column("reason", Text, nullable=False),
    Column("review_ns", BigInteger),
    Column("stream", String(8), nullable=False),
    Column("may_ask_for_stick", Boolean, nullable=False),
    Column("stills", Boolean, nullable=False),
    Column("viewer_limit", Integer, nullable=False),
    Column("starts_ns", BigInteger, nullable=False),
    Column("ends_ns", BigInteger, nullable=False),
    Column("ended_ns", BigInteger),
    Column("made_by", String(32), nullable=False),
    Column("maker", String(120), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Index("ix_shares_ended_ns", "ended_ns"),
)

share_recipients = Table(
    "share_recipients",
    metadata,
    Column("share_id", String(32), ForeignKey("shares.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", String(32), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
)

share_outlets = Table(
    "share_outlets",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("share_id", String(32), ForeignKey("shares.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(120), nullable=False),
    Column("path", String(64), nullable=False, unique=True),
    Column("username", String(64), nullable=False),
    Column("credential_sealed", LargeBinary, nullable=False),  # what hosts check a password against; never the password
    Column("made_by", String(32), nullable=False),
    Column("maker", String(120), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
)

share_notes = Table(
    "share_notes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("share_id", String(32), ForeignKey("shares.id", ondelete="CASCADE"), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("user_id", String(32), nullable=False),
    Column("name", String(120), nullable=False),
    Column("outside", Boolean, nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_share_notes_share_id", "share_id", "at_ns"),
)

room_tests = Table(
    "room_tests",
    metadata,
    Column("id", String(32), primary_key=True),  # that of its share
    Column("organisation_id", String(32), ForeignKey("organisations.id", ondelete="CASCADE"), nullable=False),
    Column("camera_id", String(32), nullable=False),
    Column("started_ns", BigInteger, nullable=False),
    Column("by", String(32), nullable=False),
    Column("operator", String(120), nullable=False),
    Column("result", String(16), nullable=False),
    Column("ended_ns", BigInteger),
    Column("seen_by", String(120)),
    Column("frames", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Index("ix_room_tests_organisation_id", "organisation_id", "started_ns"),
)
