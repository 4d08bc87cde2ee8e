"""The tables of longer work and of what leaves for other systems: jobs, imports, reports, webhooks."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from journey.store.instants import Instant
from journey.store.schema.base import metadata, one_of


class JobKind(StrEnum):
    CHECK = "check"  # look at every row of an uploaded file
    IMPORT = "import"  # enroll the rows that passed
    REPLAN = "replan"  # plan a site's enrollments anew after its settings changed
    VERIFY = "verify"  # walk the audit log's chain
    RENEW = "renew"  # plan a patient's enrollments anew after their details changed


class JobStatus(StrEnum):
    OPEN = "open"  # waits for a worker, or is being worked on
    DONE = "done"
    FAILED = "failed"  # cannot go on; `error` says why


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"  # given up


jobs = Table(
    "jobs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("subject", String(80), nullable=False),  # what it works on: an import's or a site's id
    Column("status", String(10), nullable=False),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("total", Integer, nullable=False, server_default="0"),
    Column("cursor", String(200)),  # where the next slice goes on
    Column("error", Text),
    Column("actor", String(200), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("lease_until", Instant),  # a worker has it until then
    CheckConstraint(one_of("kind", JobKind), name="kind"),
    CheckConstraint(one_of("status", JobStatus), name="status"),
    Index(
        "ix_jobs_open",
        "created_at",
        postgresql_where=text("status = 'open'"),
        sqlite_where=text("status = 'open'"),
    ),
    Index("ix_jobs_subject", "subject"),
)

imports = Table(
    "imports",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("sealed_name", LargeBinary, nullable=False),  # files are often called after patients
    Column("sealed_file", LargeBinary),  # none once it was forgotten
    Column("rows", Integer, nullable=False),
    Column("pathway", String(40), nullable=False),
    Column("site", String(40), nullable=False),
    Column("sealed_mapping", LargeBinary),  # our column by the file's, whose first row may be a patient
    Column("actor", String(200), nullable=False),
    Column("created_at", Instant, nullable=False, index=True),
    Column("begun_at", Instant),  # when somebody confirmed it
)

import_rows = Table(
    "import_rows",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("import_id", ForeignKey("imports.id"), nullable=False),
    Column("row", Integer, nullable=False),
    Column("result", String(10), nullable=False),
    Column("enrollment_id", ForeignKey("enrollments.id")),
    Column("sealed_detail", LargeBinary),  # why it was refused; it quotes what the cell held
    UniqueConstraint("import_id", "row"),
)

report_days = Table(
    "report_days",
    metadata,
    Column("day", Date, primary_key=True),  # on the practice's clocks
    Column("as_of", Instant, nullable=False),
)

daily_totals = Table(
    "daily_totals",
    metadata,
    Column("day", Date, primary_key=True),
    Column("measure", String(20), primary_key=True),
    Column("channel", String(5), primary_key=True),  # empty where it has none
    Column("detail", String(24), primary_key=True),  # a state, a reason, a class of minutes
    Column("number", BigInteger, nullable=False),
)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("url", String(500), nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("created_at", Instant, nullable=False),
)

webhook_events = Table(
    "webhook_events",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("type", String(60), nullable=False),
    Column("enrollment_id", Uuid),
    Column("message_id", Uuid),
    Column("data", JSON, nullable=False),  # ids, states and dates: nothing that names a patient
    Column("at", Instant, nullable=False),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("endpoint_id", ForeignKey("webhook_endpoints.id"), nullable=False),
    Column("event_id", ForeignKey("webhook_events.id"), nullable=False, index=True),
    Column("status", String(10), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", Instant, nullable=False),
    Column("answer", String(200)),  # the last one: a status code, or why there was none
    Column("ended_at", Instant),
    CheckConstraint(one_of("status", DeliveryStatus), name="status"),
    Index(
        "ix_webhook_deliveries_due",
        "due_at",
        postgresql_where=text("status = 'pending'"),
        sqlite_where=text("status = 'pending'"),
    ),
    Index("ix_webhook_deliveries_endpoint_id", "endpoint_id", "id"),
)
