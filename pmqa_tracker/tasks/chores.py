"""What a worker does beside its tasks, every few seconds: keep stored results in step with the records.

A room registers its own chore: `register(store_next_results)`.
"""

import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)
Chore = Callable[[], bool]  # does a small part of the work, and returns whether there may be more
_registered: dict[str, Chore] = {}


def register(chore: Chore) -> None:
    """Add a chore. It must do no harm when two processes run it at the same moment."""
    _registered[f"{chore.__module__}.{chore.__qualname__}"] = chore


def run_chores() -> bool:
    """Run every chore once; return whether one of them has more to do."""
    more = False
    for name, chore in _registered.items():
        try:
            more |= chore()
        except Exception:
            logger.exception("A chore of the worker failed: %s", name)
    return more
