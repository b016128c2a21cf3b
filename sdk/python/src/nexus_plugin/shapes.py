"""Shapes of JSON values: each has its JSON Schema, tells what is wrong with a value, and builds the Python one.

Only keywords that the host supports appear here; `pattern` and `$ref`, for two, are not among them.
"""

from __future__ import annotations

from .errors import pointer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_PROBLEMS = 8


class Shape:
    """Any value at all. `problems` gets one line for each way in which a value does not fit."""

    def __init__(self, schema: dict[str, Any] | None = None) -> None:
        self.schema: dict[str, Any] = schema or {}

    def check(self, value: Any, path: str, problems: list[str]) -> None:
        """Appends at most a few problems; paths are JSON Pointers."""

    def build(self, value: Any) -> Any:
        """The Python value for one that fits."""
        return value

    def fits(self, value: Any) -> bool:
        problems: list[str] = []
        self.check(value, "", problems)
        return not problems


def type_name(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    return {int: "integer", str: "string", list: "array", dict: "object"}.get(type(value), type(value).__name__)


def report(problems: list[str], path: str, reason: str) -> None:
    if len(problems) < _PROBLEMS:
        problems.append(f"{path or '/'}: {reason}")


class Scalar(Shape):
    """A string, integer, number, boolean or null, with the bounds in its schema."""

    def check(self, value: Any, path: str, problems: list[str]) -> None:
        wanted, found = self.schema["type"], type_name(value)
        if found != wanted and not (wanted == "number" and found == "integer"):
            return report(problems, path, f"must be {wanted}, found {found}")
        if wanted == "string":
            check_count(self.schema, len(value), ("minLength", "maxLength", "characters"), path, problems)
        elif wanted in ("integer", "number"):
            for keyword, fails, words in _BOUNDS:
                bound = self.schema.get(keyword)
                if bound is not None and fails(value, bound):
                    report(problems, path, f"must be {words} {bound}, found {value}")

    def build(self, value: Any) -> Any:
        kind = self.schema["type"]
        return int(value) if kind == "integer" else float(value) if kind == "number" else value


_BOUNDS: list[tuple[str, Callable[[Any, Any], bool], str]] = [
    ("minimum", lambda value, bound: value < bound, "at least"),
    ("maximum", lambda value, bound: value > bound, "at most"),
    ("exclusiveMinimum", lambda value, bound: value <= bound, "more than"),
    ("exclusiveMaximum", lambda value, bound: value >= bound, "less than"),
]


def check_count(
    schema: dict[str, Any], count: int, names: tuple[str, str, str], path: str, problems: list[str]
) -> None:
    least, most = schema.get(names[0]), schema.get(names[1])
    if least is not None and count < least:
        report(problems, path, f"must have at least {least} {names[2]}, found {count}")
    if most is not None and count > most:
        report(problems, path, f"must have at most {most} {names[2]}, found {count}")


class Choice(Shape):
    """One of some JSON values, each standing for a Python one."""

    def __init__(self, choices: list[tuple[Any, Any]]) -> None:
        super().__init__({"enum": [json for json, _ in choices]})
        if all(isinstance(json, str) for json, _ in choices):
            self.schema = {"type": "string", **self.schema}
        self._choices = choices

    def check(self, value: Any, path: str, problems: list[str]) -> None:
        if not any(_same(value, json) for json, _ in self._choices):
            import json as text

            known = ", ".join(text.dumps(json, ensure_ascii=False) for json, _ in self._choices)
            report(problems, path, f"must be one of {known[:500]}")

    def build(self, value: Any) -> Any:
        return next(python for json, python in self._choices if _same(value, json))


def _same(left: Any, right: Any) -> bool:
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


class Array(Shape):
    def __init__(self, item: Shape) -> None:
        super().__init__({"type": "array", "items": item.schema})
        self._item = item

    def check(self, value: Any, path: str, problems: list[str]) -> None:
        if not isinstance(value, list):
            return report(problems, path, f"must be array, found {type_name(value)}")
        check_count(self.schema, len(value), ("minItems", "maxItems", "items"), path, problems)
        if self.schema.get("uniqueItems") and any(
            _same(item, other) for at, item in enumerate(value) for other in value[:at]
        ):
            report(problems, path, "must not repeat an item")
        for position, item in enumerate(value):
            self._item.check(item, f"{path}/{position}", problems)

    def build(self, value: Any) -> Any:
        return [self._item.build(item) for item in value]


class Mapping(Shape):
    """Members of any name, their values of one shape."""

    def __init__(self, item: Shape) -> None:
        super().__init__({"type": "object", **({"additionalProperties": item.schema} if item.schema else {})})
        self._item = item

    def check(self, value: Any, path: str, problems: list[str]) -> None:
        if not isinstance(value, dict):
            return report(problems, path, f"must be object, found {type_name(value)}")
        check_count(self.schema, len(value), ("minProperties", "maxProperties", "members"), path, problems)
        for name, item in value.items():
            self._item.check(item, f"{path}/{pointer(name)}", problems)

    def build(self, value: Any) -> Any:
        return {name: self._item.build(item) for name, item in value.items()}


class Record(Shape):
    """Known members only. `make` gets them as keywords; without one they stay a dict."""

    def __init__(self, members: dict[str, Shape], required: list[str], make: Callable[..., Any] | None = None) -> None:
        super().__init__(
            {
                "type": "object",
                "properties": {name: member.schema for name, member in members.items()},
                **({"required": required} if required else {}),
                "additionalProperties": False,
            }
        )
        self.members = members
        self._required = required
        self._make = make

    def check(self, value: Any, path: str, problems: list[str]) -> None:
        if not isinstance(value, dict):
            return report(problems, path, f"must be object, found {type_name(value)}")
        for name in self._required:
            if name not in value:
                report(problems, path, f'"{name}" is required and missing')
        for name, item in value.items():
            here = f"{path}/{pointer(name)}"
            if name in self.members:
                self.members[name].check(item, here, problems)
            else:
                report(problems, here, f"is not known here; known are: {', '.join(self.members) or 'none'}")

    def build(self, value: Any) -> Any:
        built = {name: self.members[name].build(item) for name, item in value.items()}
        return built if self._make is None else self._make(**built)


class Union(Shape):
    """The first of several shapes that fits."""

    def __init__(self, options: list[Shape]) -> None:
        super().__init__(_union_schema([option.schema for option in options]))
        self._options = options

    def check(self, value: Any, path: str, problems: list[str]) -> None:
        if any(option.fits(value) for option in self._options):
            return
        # With one option beside null, what is wrong with that one says more than "no form fits".
        options = [option for option in self._options if option.schema.get("type") != "null"]
        if len(options) == 1 and value is not None:
            return options[0].check(value, path, problems)
        report(problems, path, f"must match one of the {len(self._options)} allowed forms, found {type_name(value)}")

    def build(self, value: Any) -> Any:
        return next(option for option in self._options if option.fits(value)).build(value)


def _union_schema(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    """`"type": [..]` where it says all, `anyOf` elsewhere."""
    if all(list(schema) == ["type"] for schema in schemas):
        return {"type": [schema["type"] for schema in schemas]}
    return {"anyOf": schemas}
