"""JSON Schemas of feeds and dialects, from the models themselves: an editor completes and checks by them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from strike_reporting.extracts import EXTRACTS, load
from strike_reporting.intake.dialects import Dialect, load_dialects
from strike_reporting.intake.registry import Feed
from strike_reporting.intake.transports.kinds import KINDS

_TEXTS = {"type": "array", "items": {"type": "string"}}


def schemas() -> dict[str, dict[str, Any]]:
    """Each schema by the name of the folder whose files it is for."""
    return {"feeds": _feeds(), "dialects": _dialects()}


def write_schemas(folder: Path) -> list[Path]:
    """Write the schemas into a configuration, where they have changed; returns the files that have."""
    written = []
    for name, schema in schemas().items():
        path, text = folder / "schemas" / f"{name}.json", json.dumps(schema, indent=1, sort_keys=True) + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written


def _feeds() -> dict[str, Any]:
    one = Feed.model_json_schema()
    fields = one["properties"]
    fields["extract"]["enum"] = list(EXTRACTS)
    fields["transport"]["enum"] = list(KINDS)
    fields["dialect"]["examples"] = ["template", *(d for d in load_dialects().known if not d.startswith("template."))]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "array", "items": one}


def _dialects() -> dict[str, Any]:
    schema = Dialect.model_json_schema()
    names = sorted({f for e in EXTRACTS for f in load(e).field_names})
    for model in (schema, *schema["$defs"].values()):
        for name, field in model["properties"].items():
            if _is_texts(field) and name not in ("encodings", "delimiters"):
                model["properties"][name] = _or_one_text(field)
    fields = schema["properties"]
    fields["extract"]["enum"] = list(EXTRACTS)
    column = fields["columns"]["additionalProperties"]
    fields["columns"]["additionalProperties"] = {"anyOf": [{"type": "string"}, _TEXTS, column]}
    fields["columns"]["propertyNames"] = {"enum": names}
    fields["constants"]["propertyNames"] = {"enum": names}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _is_texts(field: dict[str, Any]) -> bool:
    return field.get("type") == "array" and field.get("items", {}).get("type") == "string"


def _or_one_text(field: dict[str, Any]) -> dict[str, Any]:
    """A list of texts that may be written as one text."""
    about = {k: v for k, v in field.items() if k in ("default", "title", "description")}
    return {**about, "anyOf": [{"type": "string"}, _TEXTS]}
