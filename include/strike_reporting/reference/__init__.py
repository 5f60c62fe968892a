"""Dated, sourced facts: organisations, industrial actions, published figures."""
