"""The hash chain of a plan's log: its links are written with each entry, and `manage.py verify_log` checks them."""
