"""Accepted to release: which submission counts, summaries, checks, revisions, files."""
