"""Pages of the plan, a file a noun."""
