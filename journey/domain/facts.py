"""What a pathway asks staff to state about a patient on enrolling."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from journey.domain.conditions import FactValue
from journey.domain.steptime import parse_wall_time

ARRIVAL_FACT = "arrival_time"


class Strict(BaseModel):
    """A part of a pathway file: unknown names are refused, and nothing changes later."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Fact(Strict):
    """One thing that staff state about the patient on enrolling."""

    key: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    label: str
    type: Literal["boolean", "choice", "time"]
    choices: tuple[str, ...] = ()
    default: bool | str | None = None
    hint: str = ""

    @model_validator(mode="after")
    def _choices_fit(self) -> Self:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("a fact has choices exactly when its type is choice")
        if self.default is not None:
            self.read(self.default)
        return self

    @property
    def possible(self) -> tuple[bool | str, ...]:
        """The values that it can be stated to have; none for a time, which has too many."""
        return (True, False) if self.type == "boolean" else self.choices

    def read(self, raw: FactValue) -> FactValue:
        """Checks a stated value; text from a form or CSV is read as the declared type."""
        if self.type == "boolean":
            known = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
            value = known.get(raw.strip().lower()) if isinstance(raw, str) else raw
            if not isinstance(value, bool):
                raise ValueError(f"{self.key} must be yes or no, not {raw!r}")
            return value
        if self.type == "time":
            parse_wall_time(raw)
        if self.type == "choice" and raw not in self.choices:
            raise ValueError(f"{self.key} must be one of {', '.join(self.choices)}, not {raw!r}")
        return raw


def list_written(values: Iterable[bool | str]) -> str:
    """Values as they stand in a file: true and false without quotes."""
    return ", ".join(str(value).lower() if isinstance(value, bool) else value for value in values)
