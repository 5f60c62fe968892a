"""`strikes init`: the configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer


def init(folder: Annotated[Path, typer.Argument(help="A new or empty folder")]) -> None:
    """Write a configuration to start from: settings, an empty registry, and an example of each entry."""
    os.environ.pop("STRIKES_CONFIG", None)  # it may name the folder that is only made here
    from strike_reporting.operations.starter import write_starter

    for path in write_starter(folder):
        typer.echo(f"Written: {path}")
    typer.echo(
        f"\nNext:\n"
        f"  1. export STRIKES_CONFIG={folder.resolve()}, and STRIKES_HOME=... where the state is to be kept,\n"
        f"     for the scheduler, the workers and your shell alike\n"
        f"  2. add the first feed to {folder / 'feeds' / 'feeds.yaml'} and its connection to Airflow\n"
        f"  3. strikes feeds  (says what is wrong with an entry)"
    )
