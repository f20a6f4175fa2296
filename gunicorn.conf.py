"""How gunicorn serves the site; read by itself where it is started in this folder. Its command line wins."""

worker_class = "pmqa_tracker.server.Worker"
workers = 2
threads = 4
limit_request_line = 8190  # the most it takes; the site answers longer addresses itself (pmqa_tracker/too_large.py)
