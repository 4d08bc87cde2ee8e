"""The tables of access: staff accounts and their sessions, and keys of other systems.

Secrets that only need comparing are hashed; those that must be read again are in `sealed_*` columns.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Uuid,
)

from journey.domain.access import Role
from journey.store.instants import Instant
from journey.store.schema.base import metadata, one_of

staff = Table(
    "staff",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("email", String(254), nullable=False, unique=True),  # folded to lower case
    Column("name", String(120), nullable=False),
    Column("role", String(12), nullable=False),
    Column("password_hash", String(200)),
    Column("sealed_totp", LargeBinary),
    Column("sealed_recovery", LargeBinary),  # the recovery codes that are left
    Column("totp_used", Integer),  # the last time step whose code was taken: each code works once
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant),
    Column("disabled_at", Instant),
    CheckConstraint(one_of("role", Role), name="role"),
)

setup_links = Table(
    "setup_links",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), index=True),  # none: whoever has it becomes the first admin
    Column("expires_at", Instant, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False, index=True),
    Column(
        "is_complete", Integer, nullable=False
    ),  # 0 until the second factor is given; 2: to another provider
    Column("sealed_pending_totp", LargeBinary),  # offered, and not confirmed yet
    Column("began_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(80), nullable=False),
    Column("key_hash", LargeBinary, nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("revoked_at", Instant),
)

idempotent_requests = Table(
    "idempotent_requests",
    metadata,
    Column("api_key_id", ForeignKey("api_keys.id"), primary_key=True),
    Column("key_hash", LargeBinary, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("enrollment_id", ForeignKey("enrollments.id")),  # none while the first request is at work
    Column("was_new", Boolean),  # whether it made the enrollment, or found it made
    Column("at", Instant, nullable=False, index=True),
)
