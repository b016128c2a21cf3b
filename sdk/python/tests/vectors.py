"""The shared vectors of sdk/spec, and messages as they write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nexus_plugin.abi import FIELDS, LOG_LEVELS
from nexus_plugin.credentials import Credential
from nexus_plugin.messages import Document

SPEC = Path(__file__).resolve().parents[2] / "spec"
_LEVELS = {number: name for name, number in LOG_LEVELS.items()}
_NAMES = {"versionMinimum": "minimum", "versionMaximum": "maximum"}
_EMPTY = {"cancel": "reason", "cancelled": "reason"}


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SPEC / name).read_text(encoding="utf-8"))
    return found


def written(kind: str, message: dict[str, Any]) -> dict[str, Any]:
    """A decoded message as the vectors write it."""
    output: dict[str, Any] = {}
    for _, name, form, _ in FIELDS.get(kind, ()):
        value = message[name]
        key = _NAMES.get(name, name)
        if form == "credential":
            output["credentials"] = [{"name": one.name, "hex": bytes(one.bytes).hex()} for one in value]
        elif form == "bytes":
            output["hex"] = (value or b"").hex()
        elif form == "u64":
            output[key] = None if value is None else str(value)
        elif name == "retryable":
            output[key] = value == 1
        elif name == "level":
            output[key] = _LEVELS.get(value, "info")
        elif isinstance(value, Document):
            output[key] = value.raw.decode()
        else:
            output[key] = "" if value is None and _EMPTY.get(kind) == name else value
    return output


def read(kind: str, message: dict[str, Any]) -> dict[str, Any]:
    """The fields of a message that the vectors write."""
    fields: dict[str, Any] = {}
    for _, name, form, _ in FIELDS.get(kind, ()):
        value = message.get({"bytes": "hex", "credential": "credentials"}.get(form, _NAMES.get(name, name)))
        if form == "credential":
            fields[name] = [Credential(one["name"], bytes.fromhex(one["hex"])) for one in value or ()]
        elif value is None:
            continue
        elif form == "bytes":
            fields[name] = bytes.fromhex(value)
        elif name == "level":
            fields[name] = LOG_LEVELS[value]
        elif form in ("object", "JSON"):
            fields[name] = value.encode()
        elif form in ("u8", "u32", "u64"):
            fields[name] = int(value)
        else:
            fields[name] = value
    return fields
