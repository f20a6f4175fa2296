"""A release after this one that does not exist: it has one migration more. Tests of upgrades go from this one to it."""
