"""Bring a database to the state of the release that made a backup: its tables, and the backup's rows.

`python -m tests.hold.load_release FILE` runs with the settings of the site, on a database without tables.
"""

import sys
from pathlib import Path

import django

if __name__ == "__main__":
    django.setup()
    from operations.backup.check import check_backup
    from operations.backup.restore import restore_files, restore_rows

    backup = check_backup(Path(sys.argv[1]))
    restore_files(backup)
    restore_rows(backup, to_present=False)
