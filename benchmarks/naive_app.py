"""The naive design, to compare with: one Celery ETA task per message, one row load, the synchronous SDK.

Kindly done: connections and compiled templates are kept, and it neither re-checks nor claims anything.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from celery import Celery
from sqlalchemy import select, update
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from benchmarks.scene import SENDER
from journey.bootstrap import App, build
from journey.domain.pathway import Channel
from journey.rendering.context import build_context
from journey.rendering.message import render_message
from journey.services.library import Library
from journey.settings import read_settings
from journey.store.patients import open_person
from journey.store.schema import enrollments, messages, patients

celery = Celery("naive", broker=os.environ.get("JOURNEY_REDIS_URL", "memory://"))
celery.conf.update(
    task_default_queue="naive",
    task_ignore_result=True,
    worker_enable_remote_control=False,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 86_400},
)


class _Redirected(TwilioHttpClient):  # type: ignore[misc]
    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        base = os.environ["JOURNEY_TWILIO_API_URL"]
        return super().request(method, url.replace("https://api.twilio.com", base), *args, **kwargs)


@cache
def _wiring() -> tuple[App, Library, Client]:
    app = build(read_settings())
    token = app.settings.twilio_auth_token.get_secret_value()
    return app, Library(), Client(app.settings.twilio_account_sid, token, http_client=_Redirected())


_LOAD = (
    select(
        messages.c.step,
        messages.c.status,
        enrollments.c.site_id,
        enrollments.c.pathway_version_id,
        enrollments.c.procedure_date,
        enrollments.c.arrival_time,
        enrollments.c.facts,
        patients.c.id.label("patient_id"),
        patients.c.sealed_person,
        patients.c.locale,
    )
    .join(enrollments, enrollments.c.id == messages.c.enrollment_id)
    .join(patients, patients.c.id == enrollments.c.patient_id)
)


@celery.task(name="naive.send")  # type: ignore[untyped-decorator]
def send(message_id: str) -> None:
    app, library, client = _wiring()
    begun = datetime.now(UTC)
    with app.context.database.read() as tx:
        row = tx.connection.execute(_LOAD.where(messages.c.id == UUID(message_id))).one()
        version = library.version(tx, row.pathway_version_id)
        site = library.site(tx, row.site_id)
    if row.status != "planned":
        return
    person = open_person(app.context.sealer, row.patient_id, row.sealed_person)
    variables = build_context(
        site=site,
        person=person,
        channel=Channel.SMS,
        locale=row.locale,
        procedure_date=row.procedure_date,
        arrival_time=row.arrival_time,
        facts=row.facts,
    )
    rendered = render_message(version.templates, row.step, row.locale, Channel.SMS, variables)
    created = client.messages.create(
        to=person.phone,
        from_=SENDER,
        body=rendered.text,
        status_callback=f"{app.context.public_url}/hooks/twilio/status?message={message_id}&attempt=1",
        validity_period=36_000,
    )
    done = {"status": "accepted", "provider_id": created.sid, "claimed_at": begun}
    with app.context.database.write() as tx:
        tx.connection.execute(
            update(messages)
            .where(messages.c.id == UUID(message_id))
            .values(accepted_at=datetime.now(UTC), **done)
        )
