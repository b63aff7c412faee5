"""What makes the suite as fast as it is."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("workers")
def test_tests_of_a_group_stay_in_one_worker(request: pytest.FixtureRequest) -> None:
    """Where a test's id does not name its group (xdist 3.8, pytest 9.2), each worker makes anew what it looks at."""
    is_grouped = getattr(request.config.option, "loadgroup", False)
    assert request.node.nodeid.endswith("@workers") or not is_grouped
