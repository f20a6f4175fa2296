#!/usr/bin/env python
"""Django's command line for the PMQA tracker."""

import os
import sys


def main() -> None:
    """Run a management command; a mistake in the settings ends with one sentence instead of a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pmqa_tracker.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db.utils import OperationalError, ProgrammingError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"{error}")
    except (OperationalError, ProgrammingError) as error:
        from pmqa_tracker.database import explain, has_no_tables

        if isinstance(error, ProgrammingError) and not has_no_tables(error):
            raise
        sys.exit(explain(error))


if __name__ == "__main__":
    main()
