"""Millions of planned rows, made inside PostgreSQL: patients, their enrollments, 14 messages each."""

from __future__ import annotations

from sqlalchemy import Connection, text

from benchmarks.practice import Practice

STEPS = 14
# Bulk ids count up like the version 7 ids of real rows, and never meet one of those.
_PATIENTS = """
    INSERT INTO patients (id, identity_token, sealed_person, locale, consent_sms, consent_email, created_at)
    SELECT lpad(to_hex(n), 32, '0')::uuid, decode(md5(n::text), 'hex'),
        decode(repeat(md5(n::text), 7), 'hex'), 'en-GB', true, false, now()
    FROM generate_series(1, :patients) n
"""
_ENROLLMENTS = """
    INSERT INTO enrollments (id, patient_id, site_id, pathway, pathway_version_id, status, procedure_date,
        arrival_time, facts, goals, enrolled_at, revision)
    SELECT lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(n), 32, '0')::uuid, s.id, v.pathway, v.id, 'active',
        current_date + 365, '09:30', '{}', '[]', now(), 0
    FROM generate_series(1, :patients) n, sites s, pathway_versions v
"""
# Due times are scattered over the rows by md5, as patients' dates are: due neighbors are no neighbors
# on disk. None of them comes due by itself during a run.
_MESSAGES = """
    INSERT INTO messages (id, enrollment_id, step, occurrence, phase, channel, status, planned_at, due_at,
        send_by, why, critical, quotes, procedure_date, attempts)
    SELECT lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(1 + (n - 1) / 14), 32, '0')::uuid,
        'bulk-' || (n - 1) % 14, 0, 'before', 'sms', 'planned', t.at, t.at, t.at + interval '1 day',
        '{"anchor": "procedure", "day": -2, "time": "10:00", "anchor_date": "2030-01-01", "zone": "Etc/GMT"}',
        false, 'nothing', current_date + 365, 0
    FROM generate_series(1, :number) n,
        LATERAL (SELECT now() + interval '30 days'
            + (('x' || left(md5(n::text), 7))::bit(28)::int % 31536000) * interval '1 second' AS at) t
"""
_INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'messages' AND indexname LIKE 'ix%'
"""


def fill(practice: Practice, number: int) -> None:
    """Adds `number` planned messages, far in the future."""
    patients = -(-number // STEPS)
    with practice.context.database.write() as tx:
        # The rows refer to each other by construction; checking that row by row takes most of the time.
        tx.connection.execute(text("SET LOCAL session_replication_role = replica"))
        tx.connection.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
        rebuilt = _drop_indexes(tx.connection)
        for statement in (_PATIENTS, _ENROLLMENTS):
            tx.connection.execute(text(statement), {"patients": patients})
        tx.connection.execute(text(_MESSAGES), {"number": number})
        for definition in rebuilt:
            tx.connection.execute(text(definition))
    practice.vacuum()


def _drop_indexes(connection: Connection) -> list[str]:
    """Building them afterwards is faster, and gives the very same indexes."""
    found = connection.execute(text(_INDEXES)).all()
    for name, _ in found:
        connection.execute(text(f"DROP INDEX {name}"))
    return [definition for _, definition in found]
