"""JSON as the ABI means it: one document after RFC 8259 in UTF-8, within limits, no name twice, no lone surrogate."""

from __future__ import annotations

import json
from enum import Enum

from .abi import JSON_BYTES, JSON_DEPTH, JSON_VALUES
from .errors import pointer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


class NotJSON(ValueError):
    """Why bytes are no document, or a value cannot become one. `path` is a JSON Pointer into the value."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.reason = reason
        self.path = path


def parse(data: bytes | bytearray | memoryview) -> Any:
    """Raises NotJSON."""
    if len(data) > JSON_BYTES:
        raise NotJSON(f"a document of {len(data)} bytes is longer than the limit of {JSON_BYTES}")
    text = _text(data)
    try:
        value = _load(text, None)
    except NotJSON:
        raise
    except RecursionError:
        raise NotJSON(f"nested deeper than {JSON_DEPTH}") from None
    except json.JSONDecodeError as error:
        raise NotJSON(str(error)) from None
    except ValueError:
        # An integer of thousands of digits is JSON, but not Python's.
        value = _load(text, _any_integer)
    # Each value but the first follows one of these bytes, so small documents need no walk.
    opening = text.count("[") + text.count("{")
    count = 1 + text.count("[") + text.count(",") + text.count(":")
    if opening > JSON_DEPTH or count > JSON_VALUES or "\\u" in text:
        _Walk().visit(value, 0)
    return value


def _text(data: bytes | bytearray | memoryview) -> str:
    try:
        text = str(data, "utf-8")
    except UnicodeDecodeError:
        raise NotJSON("the document is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise NotJSON("the document starts with a byte-order mark")
    return text


def _load(text: str, integer: Any) -> Any:
    return json.loads(text, object_pairs_hook=_members, parse_constant=_constant, parse_int=integer)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotJSON("a name appears twice in an object")
    return members


def _constant(name: str) -> NoReturn:
    raise NotJSON(f"{name} is not JSON")


def _any_integer(digits: str) -> int | float:
    return int(digits) if len(digits) < 4_000 else float(digits)


class _Walk:
    """Counts the values and the depth of a document and looks for lone surrogates."""

    def __init__(self) -> None:
        self.values = 0

    def visit(self, value: Any, depth: int) -> None:
        self.values += 1
        if self.values > JSON_VALUES:
            raise NotJSON(f"more than {JSON_VALUES} values")
        if isinstance(value, str):
            _require_scalars(value)
        elif isinstance(value, (dict, list)):
            if depth >= JSON_DEPTH:
                raise NotJSON(f"nested deeper than {JSON_DEPTH}")
            for item in value.values() if isinstance(value, dict) else value:
                self.visit(item, depth + 1)
            if isinstance(value, dict):
                for name in value:
                    _require_scalars(name)


def _require_scalars(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotJSON("a string holds a lone surrogate") from None


def encode(value: Any) -> bytes:
    """The document for a value of plain types, dataclasses and enums. Raises NotJSON with the path of what is not."""
    data = json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    if len(data) > JSON_BYTES:
        raise NotJSON(f"{len(data)} bytes of JSON; the limit is {JSON_BYTES}")
    return data


def plain(value: Any) -> Any:
    """The same value of dict, list, str, int, float, bool and None alone. Raises NotJSON."""
    return _Plain().convert(value, "", 0)


class _Plain:
    def __init__(self) -> None:
        self.values = 0

    def convert(self, value: Any, path: str, depth: int) -> Any:
        self.values += 1
        if self.values > JSON_VALUES:
            raise NotJSON(f"more than {JSON_VALUES} values", path)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Enum):
            return self.convert(value.value, path, depth + 1)
        if isinstance(value, str):
            return self._string(value, path)
        if isinstance(value, int):
            return self._integer(value, path)
        if isinstance(value, float):
            if value != value or value in (float("inf"), float("-inf")):
                raise NotJSON(f"{value} is not JSON; use null or text", path)
            return float(value)
        if depth >= JSON_DEPTH:
            raise NotJSON(f"nested deeper than {JSON_DEPTH}, or within itself", path)
        return self._container(value, path, depth)

    def _container(self, value: Any, path: str, depth: int) -> Any:
        if isinstance(value, dict):
            return {
                self._name(key, path): self.convert(item, f"{path}/{pointer(key)}", depth + 1)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.convert(item, f"{path}/{index}", depth + 1) for index, item in enumerate(value)]
        kind = type(value)
        fields = getattr(kind, "__dataclass_fields__", None)
        if fields is not None:
            return {name: self.convert(getattr(value, name), f"{path}/{name}", depth + 1) for name in fields}
        raise NotJSON(f"{kind.__name__} is not JSON; {_ADVICE.get(kind.__name__, 'turn it into plain values')}", path)

    @staticmethod
    def _string(value: str, path: str) -> str:
        try:
            value.encode()
        except UnicodeEncodeError:
            raise NotJSON("a string holds a lone surrogate", path) from None
        return str.__str__(value)

    @staticmethod
    def _integer(value: int, path: str) -> int:
        if value.bit_length() > 10_000:
            raise NotJSON("an integer of thousands of digits; send it as text", path)
        return int(value)

    @classmethod
    def _name(cls, key: object, path: str) -> str:
        if not isinstance(key, str):
            raise NotJSON(f"{type(key).__name__} is no name of a member; use str", path)
        return cls._string(key, path)


_ADVICE = {
    "bytes": "send bytes with call.send, or as base64 text",
    "bytearray": "send bytes with call.send, or as base64 text",
    "memoryview": "send bytes with call.send, or as base64 text",
    "set": "use a list",
    "frozenset": "use a list",
    "datetime": "use .isoformat()",
    "date": "use .isoformat()",
    "Decimal": "use str()",
    "coroutine": "await it",
    "generator": "use list()",
    "Credential": "a credential must not leave the call",
}
