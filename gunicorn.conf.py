"""gunicorn settings; gunicorn reads this file when it starts in this folder. Command line options override it."""

worker_class = "pmqa_tracker.server.Worker"
workers = 2
threads = 4
limit_request_line = 8190  # gunicorn's maximum; the site refuses long URLs itself (pmqa_tracker/too_large.py)
