"""The JSON Schemas of the documents that the command prints."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

import check_invariants
from draincheck.report.jsontrace import SCHEMA

SCHEMAS = Path(check_invariants.__file__).parent / "schemas"


def schema(kind: str) -> dict[str, Any]:
    """The schema of one kind of document."""
    data: dict[str, Any] = json.loads((SCHEMAS / f"{kind}.schema.json").read_text(encoding="utf-8"))
    return data


@cache
def validator(kind: str) -> Draft202012Validator:
    """Checks one kind of document; traces and whole documents inside are checked by their own schemas."""
    inside = (json.loads(SCHEMA.read_text(encoding="utf-8")), schema("check"))
    registry: Registry[Any] = Registry().with_resources((item["$id"], Resource.from_contents(item)) for item in inside)
    return Draft202012Validator(schema(kind), registry=registry)
