"""Promises of a running site, kept against a real server: killed, attacked, crowded and filled up.

Each test starts gunicorn with several workers on a database of its own (`conftest.py`). `make test` runs a short form,
`make hold` the full one, which prints one line for each promise.
"""
