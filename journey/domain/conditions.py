"""Structured conditions on declared facts: data, never code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

FactValue = bool | str | time | None
Facts = Mapping[str, FactValue]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FactIs(_Strict):
    """True when the fact equals the value (`is`) or one of several (`in`)."""

    fact: str
    equals: bool | str | None = Field(default=None, alias="is")
    one_of: tuple[str, ...] | None = Field(default=None, alias="in")

    def holds(self, facts: Facts) -> bool:
        value = facts.get(self.fact)
        if self.one_of is not None:
            return value in self.one_of
        return value == self.equals

    def fact_names(self) -> set[str]:
        return {self.fact}


class AllOf(_Strict):
    all: tuple[Condition, ...] = Field(min_length=1)

    def holds(self, facts: Facts) -> bool:
        return all(part.holds(facts) for part in self.all)

    def fact_names(self) -> set[str]:
        return set().union(*(part.fact_names() for part in self.all))


class AnyOf(_Strict):
    any: tuple[Condition, ...] = Field(min_length=1)

    def holds(self, facts: Facts) -> bool:
        return any(part.holds(facts) for part in self.any)

    def fact_names(self) -> set[str]:
        return set().union(*(part.fact_names() for part in self.any))


class Not(_Strict):
    negated: Condition = Field(alias="not")

    def holds(self, facts: Facts) -> bool:
        return not self.negated.holds(facts)

    def fact_names(self) -> set[str]:
        return self.negated.fact_names()


def _kind(raw: Any) -> str:
    """Which form a mapping has, so that an error names that form and not all four."""
    if isinstance(raw, BaseModel):
        return type(raw).__name__
    keys = raw.keys() if isinstance(raw, Mapping) else ()
    for key, kind in (("all", "AllOf"), ("any", "AnyOf"), ("not", "Not")):
        if key in keys:
            return kind
    return "FactIs"


Condition = Annotated[
    Annotated[FactIs, Tag("FactIs")]
    | Annotated[AllOf, Tag("AllOf")]
    | Annotated[AnyOf, Tag("AnyOf")]
    | Annotated[Not, Tag("Not")],
    Discriminator(_kind),
]
