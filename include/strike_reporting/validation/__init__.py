"""Validation: structure and patient data before the contract's rules, plausibility after them."""
