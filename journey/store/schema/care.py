"""The tables of care: sites, pathways, patients, enrollments, messages, tasks, the audit log.

Whatever identifies a patient, and every message body, is in a `sealed_*` column.
"""

from __future__ import annotations

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
    Time,
    UniqueConstraint,
    Uuid,
    text,
)

from journey.domain.delivery import Status
from journey.domain.eligibility import EnrollmentStatus
from journey.store.instants import Instant
from journey.store.schema.base import Counter, metadata, one_of

installation = Table(
    "installation",
    metadata,
    Column("key", String(40), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

sites = Table(
    "sites",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("key", String(40), nullable=False, unique=True),
    Column("config", JSON, nullable=False),
    Column("revision", Integer, nullable=False, server_default="0"),
)

pathway_versions = Table(
    "pathway_versions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("pathway", String(40), nullable=False),
    Column("number", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("content", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("published_at", Instant),
    Column("approved_by", String(200)),
    Column("for_demonstration", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("pathway", "number"),
)

patients = Table(
    "patients",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("identity_token", LargeBinary, nullable=False, unique=True),
    Column("sealed_person", LargeBinary, nullable=False),
    Column("locale", String(10), nullable=False),
    Column("time_zone", String(60)),
    Column("prefers", String(5)),
    Column("consent_sms", Boolean, nullable=False),
    Column("consent_email", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
)

patient_tokens = Table(
    "patient_tokens",
    metadata,
    Column("token", LargeBinary, primary_key=True),
    Column("patient_id", ForeignKey("patients.id"), primary_key=True),
    Index("ix_patient_tokens_patient_id", "patient_id"),
)

consents = Table(
    "consents",
    metadata,
    Column("id", Counter, primary_key=True),
    Column("patient_id", ForeignKey("patients.id"), nullable=False, index=True),
    Column("channel", String(5), nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("wording", Text, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("at", Instant, nullable=False),
)

enrollments = Table(
    "enrollments",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("patient_id", ForeignKey("patients.id"), nullable=False),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("pathway", String(40), nullable=False),
    Column("pathway_version_id", ForeignKey("pathway_versions.id"), nullable=False),
    Column("status", String(12), nullable=False),
    Column("procedure_date", Date),
    Column("arrival_time", Time),
    Column("completed_on", Date),
    Column("confirmed_for", Date),  # the date to which the patient said yes
    Column("facts", JSON, nullable=False),
    Column("goals", JSON, nullable=False),
    Column("enrolled_at", Instant, nullable=False),
    Column("ended_at", Instant),  # when it was cancelled or withdrawn
    Column("revision", Integer, nullable=False, server_default="0"),
    CheckConstraint(one_of("status", EnrollmentStatus), name="status"),
    Index("ix_enrollments_patient_id", "patient_id"),
    Index("ix_enrollments_ended_at", "ended_at"),
    Index("ix_enrollments_procedure_date", "procedure_date"),
    # The same patient, pathway and date is one enrollment, whoever races whom.
    Index(
        "uq_enrollments_live",
        "patient_id",
        "pathway",
        "procedure_date",
        unique=True,
        postgresql_where=text("status IN ('active', 'paused')"),
        sqlite_where=text("status IN ('active', 'paused')"),
    ),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("enrollment_id", ForeignKey("enrollments.id"), nullable=False),
    Column("step", String(40), nullable=False),
    Column("occurrence", Integer, nullable=False),
    Column("stands_in_for", Uuid),  # the critical message that this one escalates
    Column("written_by", String(200)),  # whoever on staff wrote it; none for the pathway's own
    Column("phase", String(6), nullable=False),
    Column("channel", String(5)),
    Column("status", String(10), nullable=False),
    Column("reason", String(24)),
    Column("planned_at", Instant, nullable=False),  # what the pathway says
    Column("due_at", Instant, nullable=False),  # what will be done: late, retried
    Column("send_by", Instant, nullable=False),
    # When somebody must look at a row that is not planned: lease end, next look-up, escalation.
    Column("check_at", Instant),
    Column("why", JSON, nullable=False),
    Column("critical", Boolean, nullable=False),
    Column("quotes", String(8), nullable=False),
    Column("procedure_date", Date),
    Column("arrival_time", Time),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("claimed_at", Instant),
    Column("accepted_at", Instant),
    Column("delivered_at", Instant),
    Column("provider_id", String(255)),
    Column("code", String(40)),
    Column("segments", Integer),
    Column("sealed_content", LargeBinary),
    UniqueConstraint("enrollment_id", "step", "occurrence"),
    CheckConstraint(one_of("status", Status), name="status"),
    CheckConstraint("due_at <= send_by", name="due_before_deadline"),
    # The queue: only planned rows are in it, so its size at the due end is flat in the backlog.
    Index(
        "ix_messages_due",
        "channel",
        "due_at",
        postgresql_where=text("status = 'planned'"),
        sqlite_where=text("status = 'planned'"),
    ),
    Index(
        "ix_messages_check",
        "check_at",
        postgresql_where=text("check_at IS NOT NULL"),
        sqlite_where=text("check_at IS NOT NULL"),
    ),
    Index("ix_messages_due_at", "due_at"),  # of every state, for reports
    Index(
        "ix_messages_accepted_at",
        "accepted_at",
        postgresql_where=text("accepted_at IS NOT NULL"),
        sqlite_where=text("accepted_at IS NOT NULL"),
    ),
    Index(
        "uq_messages_provider_id",
        "provider_id",
        unique=True,
        postgresql_where=text("provider_id IS NOT NULL"),
        sqlite_where=text("provider_id IS NOT NULL"),
    ),
)

message_events = Table(
    "message_events",
    metadata,
    Column("id", Counter, primary_key=True),
    Column("message_id", ForeignKey("messages.id"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("event", String(16), nullable=False),
    Column("status", String(10), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("reason", String(24)),
    Column("detail", Text),
)

staff_tasks = Table(
    "staff_tasks",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dedupe_key", String(120), nullable=False, unique=True),
    Column("kind", String(30), nullable=False),
    Column("enrollment_id", ForeignKey("enrollments.id"), index=True),
    Column("message_id", ForeignKey("messages.id")),
    Column("detail", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("claimed_by", String(200)),
    Column("claimed_at", Instant),
    Column("done_at", Instant),
    Column("done_by", String(200)),
    Index(
        "ix_staff_tasks_open",
        "due_at",
        postgresql_where=text("done_at IS NULL"),
        sqlite_where=text("done_at IS NULL"),
    ),
    Index(  # urgent ones, found however many others are open
        "ix_staff_tasks_urgent",
        "due_at",
        postgresql_where=text("done_at IS NULL AND kind IN ('red_flag', 'calls_off')"),
        sqlite_where=text("done_at IS NULL AND kind IN ('red_flag', 'calls_off')"),
    ),
)

task_notes = Table(
    "task_notes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("task_id", ForeignKey("staff_tasks.id"), nullable=False, index=True),
    Column("sealed_text", LargeBinary, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("at", Instant, nullable=False),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(60), nullable=False),
    Column("subject", String(80), nullable=False, index=True),
    Column("detail", Text, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("ix_audit_entries_actor", "actor", "seq"),
)
