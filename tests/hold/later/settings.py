"""Settings of the later release."""

from pmqa_tracker.settings import *  # noqa: F403

MIGRATION_MODULES = {"submissions": "tests.hold.later.submissions"}
