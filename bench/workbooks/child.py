"""Answer one request and print the peak memory of the process in MB: `python -m bench.workbooks.child URL`."""

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
    # Not getrusage: its peak includes the memory of the parent process.
    highest = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    sys.stdout.write(f"{int(highest.group(1)) / 1024:.0f}")
