"""The templates of pages, charts and mails, with every value escaped."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from strike_reporting.site import words
from strike_reporting.site.figures import Figure
from strike_reporting.site.terms import TERMS

_TEMPLATES = Path(__file__).with_name("templates")


@cache
def environment() -> jinja2.Environment:
    """The templates, with every value escaped."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    said = (words.percent, words.number, words.moment, words.london_minute, words.day)
    made.filters |= {f.__name__: f for f in said}
    made.tests["figure"] = lambda value: isinstance(value, Figure)
    for name, file in (("style", "style.css"), ("script", "script.js")):
        made.globals[name] = Markup((_TEMPLATES / file).read_text("utf-8"))  # noqa: S704 - our own files
    made.globals |= {"terms": TERMS}
    return made
