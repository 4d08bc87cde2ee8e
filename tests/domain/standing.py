"""The rows of one enrollment as the services keep them, in memory: to see what a change makes of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from journey.domain.changes import Action, Change, ExistingMessage
from journey.domain.delivery import OPEN, Reason, Status
from journey.domain.pathway import Quotes
from journey.domain.plan import Plan, PlannedMessage
from journey.domain.planning import plan_messages
from journey.domain.replanning import diff_plan
from tests.strategies import Scenario

CORRECTION = "date-changed"


def planned(scenario: Scenario) -> Plan:
    return plan_messages(scenario.pathway, scenario.anchors, scenario.facts, scenario.policies)


@dataclass
class Standing:
    """The rows of one enrollment, kept as the services keep them, with a clock and a provider."""

    scenario: Scenario
    now: datetime
    rows: list[ExistingMessage] = field(default_factory=list)

    @property
    def plan(self) -> Plan:
        return planned(self.scenario)

    def diff(self) -> list[Change]:
        return diff_plan(self.plan, self.rows, self.now)

    def replan(self, gone: Reason = Reason.NO_LONGER_APPLIES, *, is_new_date: bool = False) -> list[Change]:
        changes = diff_plan(self.plan, self.rows, self.now, gone=gone, is_new_date=is_new_date)
        for change in changes:
            self._write(change)
        places = [(row.step, row.occurrence) for row in self.rows]
        assert len(set(places)) == len(places), "two rows for one occurrence"
        return changes

    def _write(self, change: Change) -> None:
        if change.action is Action.KEEP:
            return
        if change.action is Action.CANCEL:
            assert change.existing is not None
            self._swap(change.existing, status=Status.CANCELLED, reason=change.reason)
        elif change.existing is not None:
            assert change.target is not None
            assert change.existing.status in OPEN
            self._swap(change.existing, **_columns(change.target))
        elif change.target is not None:
            columns = _columns(change.target)
            number = UUID(int=len(self.rows))
            self.rows.append(
                ExistingMessage(
                    number, change.step, change.occurrence, quotes=change.target.quotes, **columns
                )
            )

    def _swap(self, row: ExistingMessage, **columns: Any) -> None:
        self.rows[self.rows.index(row)] = replace(row, **columns)

    def work_until(self, moment: datetime, result: Status = Status.DELIVERED) -> None:
        """Everything that is due by then goes out at its time."""
        self.now = max(self.now, moment)
        for row in sorted(self.rows, key=lambda row: row.due_at):
            if row.status is Status.PLANNED and row.due_at <= self.now:
                self._swap(row, status=result, sent_at=row.due_at)

    def told(self) -> ExistingMessage | None:
        """The last message with the patient that named a date."""
        quoting = [r for r in self.rows if r.sent_at and r.quotes is not Quotes.NOTHING]
        return max(quoting, key=lambda row: row.sent_at or row.due_at, default=None)

    def told_another_date(self) -> bool:
        told = self.told()
        return told is not None and told.procedure_date != self.scenario.anchors.procedure_date

    def corrections(self) -> list[ExistingMessage]:
        rows = [row for row in self.rows if row.step == CORRECTION]
        return sorted(rows, key=lambda row: row.occurrence)

    def move_to(self, day: date | None, arrival: time | None, *, paused: bool | None = None) -> None:
        anchors = replace(self.scenario.anchors, procedure_date=day, arrival_time=arrival)
        policies = self.scenario.policies
        if paused is not None:
            policies = replace(policies, paused=paused)
        self.scenario = replace(self.scenario, anchors=anchors, policies=policies)


def _columns(target: PlannedMessage) -> dict[str, Any]:
    return {
        "status": Status(target.verdict.value),
        "reason": target.reason,
        "planned_at": target.at,
        "due_at": target.due_at,
        "send_by": target.send_by,
        "channel": target.channel,
        "procedure_date": target.procedure_date,
        "arrival_time": target.arrival_time,
    }


def standing(scenario: Scenario) -> Standing:
    found = Standing(scenario, scenario.now)
    found.replan()
    return found
