"""One patient's whole calendar, planned and compared: no database, no files."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from benchmarks.figures import Figure, Tell, middle, percentile, spread
from benchmarks.practice import procedure_day
from benchmarks.scene import Scene
from journey.domain.conditions import Facts
from journey.domain.contact import ContactPlan
from journey.domain.pathway import Channel, Pathway
from journey.domain.plan import Anchors, Policies
from journey.domain.planning import plan_messages
from journey.domain.replanning import diff_plan
from journey.domain.site import Site
from journey.domain.steptime import parse_wall_time
from journey.services.library import policies_for
from journey.services.pathway_files import load_built_in

STEPS = 14
PATIENTS = 300
ROUNDS = 5


def steps(quick: bool) -> int:
    return 1


def measure(scene: Scene, tell: Tell) -> list[Figure]:
    tell("plan enrollments")
    pathway = load_built_in("bvn-ablation").pathway
    facts = pathway.read_facts({"takes_glp1": "yes", "diabetic": "yes"})
    now = datetime.now(UTC)
    days = [procedure_day(now, number) for number in range(PATIENTS)]
    contact = ContactPlan("en-GB", None, None, True, True)
    policies = {day.year: policies_for(Site(), contact, tuple(Channel), day.year) for day in days}
    arrival = parse_wall_time("09:30")
    patients = [
        (Anchors(now - timedelta(seconds=number), day, arrival), policies[day.year])
        for number, day in enumerate(days)
    ]
    runs = [_one_round(pathway, facts, patients, now) for _ in range(ROUNDS)]
    return [
        Figure(
            name="planning",
            title=f"Planning one enrollment ({STEPS} steps), pure",
            measured=middle(runs, "median_ms"),
            goal=0.3,
            at_least=False,
            unit=" ms",
            detail=f"plan_messages and diff_plan, {PATIENTS} patients, medians {spread(runs, 'median_ms')}",
            runs=runs,
        )
    ]


def _one_round(
    pathway: Pathway, facts: Facts, patients: list[tuple[Anchors, Policies]], now: datetime
) -> dict[str, float]:
    taken = []
    for anchors, policies in patients:
        begun = time.perf_counter()
        changes = diff_plan(plan_messages(pathway, anchors, facts, policies), [], now)
        taken.append(1000 * (time.perf_counter() - begun))
        assert len(changes) == STEPS
    return {"median_ms": round(percentile(taken, 0.5), 4), "p95_ms": round(percentile(taken, 0.95), 4)}
