"""Feeds to landing: the registry, the transports, collecting and landing."""
