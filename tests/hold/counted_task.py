"""A background task that leaves a line in a file each time it runs.

`python -m tests.hold.counted_task FILE COUNT` runs with the settings of a site and queues it so many times.
"""

import sys
from pathlib import Path

import django

if __name__ == "__main__":
    django.setup()

from pmqa_tracker.tasks.queue import start
from pmqa_tracker.tasks.run import background_task


@background_task(is_repeatable=False)
def leave_line(_on_progress, _result: Path, *, file: str, number: int) -> None:
    """Add the number to the file."""
    with Path(file).open("a") as lines:
        lines.write(f"{number}\n")


if __name__ == "__main__":
    from tests.hold.counted_task import leave_line as queued  # by the name that the workers know

    for number in range(int(sys.argv[2])):
        start(queued, owner=0, label="counted", patience=0, file=sys.argv[1], number=number)
