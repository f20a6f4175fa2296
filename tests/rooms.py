"""The rooms of the project, in the order in which they may import each other: each those before it."""

ROOMS = (
    "pmqa_tracker",
    "spreadsheets",
    "criteria",
    "assignments",
    "plan",
    "submissions",
    "exchange",
    "worklist",
    "reports",
    "demo",
)
