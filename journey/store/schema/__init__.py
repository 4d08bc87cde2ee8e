"""The tables, and the metadata that holds them all."""

from journey.store.schema.accounts import (
    api_keys,
    idempotent_requests,
    recovery_codes,
    sessions,
    setup_links,
    staff,
)
from journey.store.schema.base import metadata
from journey.store.schema.care import (
    audit_entries,
    consents,
    enrollments,
    installation,
    message_events,
    messages,
    outbox,
    pathway_versions,
    patient_tokens,
    patients,
    sites,
    staff_tasks,
    suppressions,
    task_notes,
)

__all__ = [
    "api_keys",
    "audit_entries",
    "consents",
    "enrollments",
    "idempotent_requests",
    "installation",
    "message_events",
    "messages",
    "metadata",
    "outbox",
    "pathway_versions",
    "patient_tokens",
    "patients",
    "recovery_codes",
    "sessions",
    "setup_links",
    "sites",
    "staff",
    "staff_tasks",
    "suppressions",
    "task_notes",
]
