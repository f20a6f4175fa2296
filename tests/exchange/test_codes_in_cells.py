"""Codes that a spreadsheet made numbers or days of, the words the templates offer, and the order of errors."""
