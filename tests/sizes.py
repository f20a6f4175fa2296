"""Number of repetitions and seed of the tests with random input.

`make test` runs a tenth of the repetitions with fixed seeds, and a third of these again on PostgreSQL; `make test-long`
runs all with a new seed and prints it.
"""

import os

SCALE = float(os.environ.get("PMQA_TEST_SCALE") or 0.1)
IS_FULL = SCALE >= 1
ON_POSTGRESQL = "TEST_DATABASE_URL" in os.environ
SEED = int(os.environ.get("PMQA_TEST_SEED") or 0)  # 0: the fixed seeds


def scaled(full: int, *, least: int = 1) -> int:
    """Return the number of repetitions in this run; a full run has `full`, and every run at least `least`."""
    return max(least, round(full * (SCALE / 3 if ON_POSTGRESQL and not IS_FULL else SCALE)))
