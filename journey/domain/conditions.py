"""Structured conditions on declared facts: data, never code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import time
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

FactValue = bool | str | time | None
Facts = Mapping[str, FactValue]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FactIs(_Strict):
    """True when the fact equals the value (`is`) or one of several (`in`)."""

    fact: str
    equals: bool | str | None = Field(default=None, alias="is")
    one_of: tuple[str, ...] | None = Field(default=None, alias="in")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.equals is None) == (self.one_of is None):
            raise ValueError(f"a condition on {self.fact} takes either is or in")
        return self

    def tests(self) -> Iterator[FactIs]:
        yield self

    def holds(self, facts: Facts) -> bool:
        value = facts.get(self.fact)
        if self.one_of is not None:
            return value in self.one_of
        return value == self.equals


class AllOf(_Strict):
    all: tuple[Condition, ...] = Field(min_length=1)

    def holds(self, facts: Facts) -> bool:
        return all(part.holds(facts) for part in self.all)

    def tests(self) -> Iterator[FactIs]:
        for part in self.all:
            yield from part.tests()


class AnyOf(_Strict):
    any: tuple[Condition, ...] = Field(min_length=1)

    def holds(self, facts: Facts) -> bool:
        return any(part.holds(facts) for part in self.any)

    def tests(self) -> Iterator[FactIs]:
        for part in self.any:
            yield from part.tests()


class Not(_Strict):
    negated: Condition = Field(alias="not")

    def holds(self, facts: Facts) -> bool:
        return not self.negated.holds(facts)

    def tests(self) -> Iterator[FactIs]:
        return self.negated.tests()


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
