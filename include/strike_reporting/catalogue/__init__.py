"""What is said once: published tables, terms and their definitions."""
