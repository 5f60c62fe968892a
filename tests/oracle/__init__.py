"""Every published cell worked out a second time: from the dictionary, row by row, and not from the SQL."""
