"""A year of fifty patients per seed, with every fault: no invariant may break."""

import pytest

from journey.simulation import Result, run_simulation

PATIENTS, DAYS = 50, 365
QUICK, SLOW = range(1, 2), range(2, 101)


def check(seed: int) -> Result:
    result = run_simulation(PATIENTS, DAYS, seed, True, None)
    broken = [f"{one.rule}: {one.detail}\n  " + "\n  ".join(one.trail) for one in result.violations]
    assert not broken, "\n".join([*broken, f"see it again with: {result.replay}"])
    return result


@pytest.mark.parametrize("seed", QUICK)
def test_no_invariant_breaks_in_a_year_of_faults(seed: int) -> None:
    result = check(seed)
    # A run that met no trouble would prove nothing.
    assert sum(result.accepted.values()) > 300
    for fault in ("answer lost", "request lost", "clock set", "power cut", "killed at work"):
        assert result.fault_counts[fault] > 0
    assert sum(count for name, count in result.fault_counts.items() if name.startswith("crash")) > 5


@pytest.mark.slow
@pytest.mark.parametrize("seed", SLOW)
def test_no_invariant_breaks_under_any_seed(seed: int) -> None:
    check(seed)
