"""Is the process alive, can it work, and how much is there to do: /healthz, /readyz, /metrics."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from journey.bootstrap import App
from journey.services.vitals import Vitals, take_vitals
from journey.store.database import StoreUnavailable
from journey.store.migrating import schema_state
from journey.web.access import PUBLIC
from journey.web.requests import journey_of

router = APIRouter(dependencies=[PUBLIC])


@router.get("/healthz")
def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def ready(app: App = Depends(journey_of)) -> JSONResponse:  # noqa: B008
    """The database answers and has this version's schema; 503 with the reason if not."""
    try:
        present, newest = schema_state(app.context.database)
    except StoreUnavailable as error:
        return JSONResponse({"status": "unavailable", "reason": str(error)}, status_code=503)
    if present != newest:
        reason = f"the schema is {present}, not {newest}; run: journey migrate"
        return JSONResponse({"status": "unavailable", "reason": reason}, status_code=503)
    return JSONResponse({"status": "ok"})


@router.get("/metrics")
def metrics(app: App = Depends(journey_of)) -> Response:  # noqa: B008
    """Counts in the Prometheus text format; none of them names a patient."""
    return Response(_as_prometheus(take_vitals(app.context)), media_type=CONTENT_TYPE_LATEST)


def _as_prometheus(vitals: Vitals) -> bytes:
    registry = CollectorRegistry()
    by_status = Gauge("journey_messages", "Messages by status.", ["status"], registry=registry)
    for status, count in vitals.by_status.items():
        by_status.labels(status).set(count)
    lateness = Gauge(
        "journey_oldest_due_seconds", "How long the oldest due message has waited.", registry=registry
    )
    lateness.set(vitals.oldest_due_seconds)
    Gauge("journey_open_tasks", "Staff tasks that are open.", registry=registry).set(vitals.open_tasks)
    unfetched = Gauge(
        "journey_replies_unfetched_seconds",
        "Since when nobody has asked the provider for replies that it could not tell.",
        registry=registry,
    )
    unfetched.set(vitals.unfetched_seconds)
    return bytes(generate_latest(registry))
