"""Rebuilding from landing: a scratch store that holds only a release's own landed files, judged afresh."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from strike_reporting.intake.landing import RECEIPTS, content, object_key, receipts
from strike_reporting.judging.settle import to_validate, validate
from strike_reporting.ledger import outcome, record
from strike_reporting.storage import Store


@contextmanager
def rebuilt(store: Store, manifest: dict[str, Any]) -> Iterator[Store]:
    """A store rebuilt from the landed bytes that were there when a release was made.

    Raises:
        OSError: a landed file is gone or damaged.
    """
    newest = manifest["as_at"] or ""
    with tempfile.TemporaryDirectory(prefix="strikes-") as root:
        scratch = Store(root)
        for receipt in receipts(store):
            if receipt.received_at <= newest:
                try:
                    scratch.write(object_key(receipt.sha256), content(store, receipt))
                except FileNotFoundError:
                    found = outcome(store, receipt.submission_id)
                    if found is None or found.counts:
                        raise  # its rows are in figures: without its bytes nothing is proved
                    record(scratch, found)  # purged because it held patient data: its refusal stands
                scratch.write_json(f"{RECEIPTS}/{receipt.submission_id}.json", asdict(receipt))
        validate(scratch, to_validate(scratch))
        yield scratch
