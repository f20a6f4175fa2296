"""Pages and files with the figures of a plan. No view here writes to the database."""
