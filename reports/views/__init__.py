"""Pages and files that say what the plan adds up to. Nothing here writes."""
