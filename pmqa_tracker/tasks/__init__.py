"""Background tasks with progress: work that takes too long for one request and continues when the user leaves.

A task is a module-level function with JSON arguments (`tasks.run.background_task`). `tasks.queue.start` puts it into
the database; a worker process (`manage.py worker`) on any machine runs it, and pages read its state from
`tasks.models`.
"""
