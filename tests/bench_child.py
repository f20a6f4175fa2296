"""A process that answers one request and says the MB it took in all: `python -m tests.bench_child ADDRESS`."""

import os
import re
import sys
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.test import Client  # noqa: E402

from assignments.models import User  # noqa: E402

if __name__ == "__main__":
    client = Client()
    client.force_login(User.objects.first())
    response = client.get(sys.argv[1])
    assert response.status_code == 200, response.status_code
    for _part in response.streaming_content:
        pass
    # Not getrusage: what it tells starts at what the process that started this one held.
    highest = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    sys.stdout.write(f"{int(highest.group(1)) / 1024:.0f}")
