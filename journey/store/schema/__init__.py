"""The tables, and the metadata that holds them all."""

from journey.store.schema.accounts import (
    api_keys,
    idempotent_requests,
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
    pathway_versions,
    patient_tokens,
    patients,
    sites,
    staff_tasks,
    task_notes,
)
from journey.store.schema.exchange import outbox, replies, suppressions
from journey.store.schema.work import (
    daily_totals,
    import_rows,
    imports,
    jobs,
    report_days,
    webhook_deliveries,
    webhook_endpoints,
    webhook_events,
)

__all__ = [
    "api_keys",
    "audit_entries",
    "consents",
    "daily_totals",
    "enrollments",
    "idempotent_requests",
    "import_rows",
    "imports",
    "installation",
    "jobs",
    "message_events",
    "messages",
    "metadata",
    "outbox",
    "pathway_versions",
    "patient_tokens",
    "patients",
    "replies",
    "report_days",
    "sessions",
    "setup_links",
    "sites",
    "staff",
    "staff_tasks",
    "suppressions",
    "task_notes",
    "webhook_deliveries",
    "webhook_endpoints",
    "webhook_events",
]
