"""Response times of the site over those of a bare Django app, in one run: `make bench` (docs/performance.md)."""
