"""Rounds, mail, warnings and generated documents."""
