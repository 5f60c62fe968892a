"""Proposing a dialect for a file that nobody has described yet: a proposal with a confidence, and questions.

Nothing here is sure, and nothing unsure is silent: what is below the threshold becomes a question, and every column
that nothing reads is named.
"""

from strike_reporting.intake.proposing.answers import NONE, BadAnswer
from strike_reporting.intake.proposing.proposal import Asking, Proposal, propose
from strike_reporting.intake.proposing.tables import Table

__all__ = ["NONE", "Asking", "BadAnswer", "Proposal", "Table", "propose"]
