"""Backups: one archive with the rows of every table and the files of evidence, and the way back."""
