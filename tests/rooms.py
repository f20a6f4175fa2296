"""The rooms of the project in import order: each room may import only the rooms before it."""

ROOMS = (
    "pmqa_tracker",
    "audit",
    "spreadsheets",
    "criteria",
    "assignments",
    "accounts",
    "plan",
    "submissions",
    "exchange",
    "worklist",
    "reports",
    "demo",
    "operations",
)
