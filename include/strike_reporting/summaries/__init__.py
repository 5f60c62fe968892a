"""Summaries: accepted rows of the chosen submissions to the published tables."""
