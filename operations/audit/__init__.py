"""The audit: who did what, when and from where, over all histories, logs and events."""
