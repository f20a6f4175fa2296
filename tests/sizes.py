"""How often the tests with random input repeat, and their seed.

`make test` runs a tenth of them with fixed seeds, `make test-long` all of them with a new seed, which it prints.
"""

import os

SCALE = float(os.environ.get("PMQA_TEST_SCALE") or 0.1)
IS_FULL = SCALE >= 1
SEED = int(os.environ.get("PMQA_TEST_SEED") or 0)  # 0: the fixed seeds


def scaled(full: int, *, least: int = 1) -> int:
    """The number of repetitions in this run, where a full run has `full`; never fewer than `least`."""
    return max(least, round(full * SCALE))
