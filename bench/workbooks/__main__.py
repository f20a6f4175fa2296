"""Measure the workbooks of the seeded plan and of long plans."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.test.utils import setup_databases, setup_test_environment, teardown_databases  # noqa: E402

from bench.workbooks import data_sheet, exports, new_plan, plan_form  # noqa: E402


def main() -> None:
    """Measure in this process, then on a real server."""
    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        call_command("seed", verbosity=0)
        plan_form.main()
        exports.main()
        data_sheet.main()
        new_plan.measure_preview()  # it adds plans, and the others need just one
    finally:
        teardown_databases(databases, verbosity=0)
    new_plan.measure_beside_people()


if __name__ == "__main__":
    main()
