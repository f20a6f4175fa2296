"""The floor: a bare Django app on the same tables, with the same login, hand-written SQL and one small template."""
