"""The tables beside the queue: what patients answer, whom not to write to, and the local outbox."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)

from journey.store.instants import Instant
from journey.store.schema.base import Counter, metadata

replies = Table(
    "replies",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("provider_id", String(255), nullable=False, unique=True),  # what is told twice is one reply
    Column("enrollment_id", ForeignKey("enrollments.id"), index=True),  # none: a stranger's number
    Column("task_id", ForeignKey("staff_tasks.id"), index=True),  # none: nobody needs to read it
    Column("at", Instant, nullable=False),
    Column("sealed_content", LargeBinary, nullable=False),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("channel", String(5), nullable=False),
    Column("address_token", LargeBinary, nullable=False),
    Column("sealed_address", LargeBinary, nullable=False),  # to make the token anew with a new key
    Column("reason", String(24), nullable=False),
    Column("source", String(200), nullable=False),
    Column("sealed_evidence", LargeBinary),
    Column("at", Instant, nullable=False),
    Column("lifted_at", Instant),
    Index("ix_suppressions_at", "at"),
    Index(
        "uq_suppressions_active",
        "address_token",
        "channel",
        unique=True,
        postgresql_where=text("lifted_at IS NULL"),
        sqlite_where=text("lifted_at IS NULL"),
    ),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Counter, primary_key=True),
    Column("message_id", Uuid, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("channel", String(5), nullable=False),
    Column("sealed_content", LargeBinary, nullable=False),
    Column("at", Instant, nullable=False),
    UniqueConstraint("message_id", "attempt"),
)
