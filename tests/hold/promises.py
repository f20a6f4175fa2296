"""Print what `make hold` found, one line for each promise: `python -m tests.hold.promises FILE`."""

import json
import sys
from collections import defaultdict
from pathlib import Path

if __name__ == "__main__":
    found: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for line in Path(sys.argv[1]).read_text().splitlines():
        result = json.loads(line)
        on = found[result["promise"], result["figure"]]
        on[result["on"]] = "; ".join(filter(None, (on.get(result["on"]), result["found"])))  # of several tests
    sys.stdout.write("promise · figure · SQLite · PostgreSQL\n")
    for (promise, figure), on in found.items():
        sys.stdout.write(f"{promise} · {figure} · {on.get('SQLite', '–')} · {on.get('PostgreSQL', '–')}\n")
