"""Tests how long CloudWatch logs are retained."""

from __future__ import annotations

import pytest

from modelyard_stacks.aws.logs import retention_days


@pytest.mark.parametrize(("days", "expected"), [(1, 1), (2, 3), (90, 90), (91, 120), (366, 400), (3653, 3653)])
def test_retention_is_rounded_up(days: int, expected: int) -> None:
    assert retention_days(days) == expected


def test_retention_beyond_ten_years_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 3653 days, not 3654"):
        retention_days(3654)
