"""Files made to end whatever reads them. Each is made when it is asked for; none is kept in the repository.

`POISON` gives, by file name, how to make it and the rules under which it may be refused; `HEAVY` names those that use
up a worker's memory on the way, or that take long to make.
"""

from __future__ import annotations

from poison import archives, marked_up, old_workbooks, texts, workbooks  # noqa: F401 - each adds its files
from poison.corpus import HEAVY, POISON, good, made, write

__all__ = ["HEAVY", "POISON", "good", "made", "write"]
