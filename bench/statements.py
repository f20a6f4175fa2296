"""Print the number of SQL statements of each measured page as JSON, in the environment of a world."""

import json
import sys

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from assignments.models import User  # noqa: E402
from bench.measure import typed  # noqa: E402
from bench.pages import PAGES, UPDATE  # noqa: E402
from bench.visitor import HIDDEN  # noqa: E402


def count(client: Client, path: str, data: dict[str, object] | None = None) -> int:
    """Return the number of statements of one answer."""
    with CaptureQueriesContext(connection) as queries:
        client.post(path, data) if data else client.get(path)
        return len(queries)


def main() -> None:
    """Count each page warm, then the update."""
    found = {}
    for page in PAGES:
        client = Client(HTTP_HOST="127.0.0.1")
        client.force_login(User.objects.get(username=page.user), backend=settings.AUTHENTICATION_BACKENDS[0])
        client.get(page.path)
        found[page.name] = count(client, page.path)
        if page is UPDATE:
            fields = dict(HIDDEN.findall(client.get(page.path).content.decode()))
            found["update"] = count(client, page.path, fields | typed())
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
