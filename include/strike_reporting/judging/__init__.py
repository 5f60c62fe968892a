"""Landing to accepted: reading, guard, matching, normalising, rules, settling."""
