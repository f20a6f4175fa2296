"""Times of the exports over those of a library, and of an import beside people at work: `make bench-workbooks`."""
