"""From type hints to shapes: what a tool's author wrote, as JSON Schema 2020-12 and as a check."""

from __future__ import annotations

import enum
import sys
import typing

from .errors import PluginMistake
from .fields import Field
from .shapes import Array, Choice, Mapping, Record, Scalar, Shape, Union

Any = typing.Any

_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_ADVICE = {
    "bytes": "take base64 text as str, and send bytes with call.send",
    "bytearray": "take base64 text as str, and send bytes with call.send",
    "set": "use list[..] with Field(unique_items=True)",
    "frozenset": "use list[..] with Field(unique_items=True)",
    "tuple": "use list[..] or a dataclass",
    "datetime": "take a str and parse it",
    "date": "take a str and parse it",
    "Decimal": "take a str and parse it",
    "Path": "take a str",
    "UUID": "take a str",
    "TypeVar": "use a type of its own",
}
_SUPPORTED = (
    "str, int, float, bool, None, list[T], dict[str, T], Optional[T], Union[..], Literal[..], Enum, dataclass, "
    "TypedDict, Annotated[T, Field(..)] and Any"
)
_DEPTH = 12


def hints_of(thing: Any, where: str) -> dict[str, Any]:
    """The evaluated hints of a function or class. Raises PluginMistake that says which one cannot be."""
    try:
        return typing.get_type_hints(thing, include_extras=True)
    except NameError as error:
        raise PluginMistake(
            f"{where}: a hint cannot be evaluated: {error} at the top of its module; import or define it there, and "
            "not under TYPE_CHECKING"
        ) from None
    except TypeError as error:
        if "|" in str(error) and sys.version_info < (3, 10):
            raise PluginMistake(
                f"{where}: `X | Y` in hints needs Python 3.10, this is {sys.version_info[0]}.{sys.version_info[1]}; "
                "write Optional[X] or Union[X, Y] from typing"
            ) from None
        raise PluginMistake(f"{where}: its hints cannot be evaluated: {error}") from None
    except Exception as error:
        raise PluginMistake(f"{where}: its hints cannot be evaluated: {type(error).__name__}: {error}") from None


def shape_of(hint: Any, where: str, within: tuple[Any, ...] = ()) -> Shape:
    """Raises PluginMistake naming `where` for a hint that has no JSON form."""
    if len(within) > _DEPTH or any(hint is outer for outer in within):
        raise PluginMistake(f"{where}: {_shown(hint)} holds itself or is nested too deep; use dict for the inner part")
    while hasattr(hint, "__supertype__"):
        hint = hint.__supertype__
    inner = (*within, hint)
    origin: Any = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if origin is typing.Annotated:
        return _annotated(hint, where, within)
    if hint in (Any, object):
        return Shape()
    if isinstance(hint, type) and origin is None:
        shape = _class_shape(hint, where, inner)
        if shape is not None:
            return shape
    elif origin is list:
        return Array(shape_of(arguments[0], f"{where}[]", inner))
    elif origin is dict:
        if arguments[0] is not str:
            raise PluginMistake(f"{where}: {_shown(hint)}: names of JSON members are str; use dict[str, ..]")
        return Mapping(shape_of(arguments[1], f"{where}{{}}", inner))
    elif origin is typing.Literal:
        return Choice([(_constant(value, where), value) for value in arguments])
    elif origin is typing.Union or type(hint).__name__ == "UnionType":
        return Union([shape_of(argument, where, inner) for argument in arguments])
    name = getattr(origin or hint, "__name__", type(hint).__name__)
    advice = _ADVICE.get(name, _ADVICE.get(type(hint).__name__, f"use one of {_SUPPORTED}"))
    raise PluginMistake(f"{where}: {_shown(hint)} has no JSON form; {advice}")


def _class_shape(hint: type, where: str, inner: tuple[Any, ...]) -> Shape | None:
    if hint in _SCALARS:
        return Scalar({"type": _SCALARS[hint]})
    if hint is list:
        return Array(Shape())
    if hint is dict:
        return Mapping(Shape())
    if issubclass(hint, enum.Enum):
        return Choice([(_constant(member.value, f"{where}.{member.name}"), member) for member in hint])
    if hasattr(hint, "__dataclass_fields__"):
        return _dataclass_shape(hint, where, inner)
    if hasattr(hint, "__required_keys__"):
        return _typed_dict_shape(hint, where, inner)
    return None


def _dataclass_shape(hint: Any, where: str, inner: tuple[Any, ...]) -> Shape:
    hints = hints_of(hint, f"{where} ({hint.__name__})")
    members: dict[str, Shape] = {}
    required: list[str] = []
    from dataclasses import MISSING, fields

    for field in fields(hint):
        if not field.init:
            continue
        here = f"{where}.{field.name}"
        members[field.name] = shape_of(hints[field.name], here, inner)
        if field.default is not MISSING:
            _set_default(members[field.name], field.default, here)
        elif field.default_factory is MISSING:
            required.append(field.name)
    return Record(members, required, hint)


def _typed_dict_shape(hint: Any, where: str, inner: tuple[Any, ...]) -> Shape:
    hints = hints_of(hint, f"{where} ({hint.__name__})")
    members: dict[str, Shape] = {}
    required = set(hint.__required_keys__)
    for name, member in hints.items():
        origin = typing.get_origin(member)
        wrapper = getattr(origin, "_name", None) or getattr(origin, "__name__", "")
        if wrapper in ("Required", "NotRequired", "ReadOnly"):
            # With postponed hints the class itself could not see these.
            (required.add if wrapper == "Required" else required.discard)(name)
            member = typing.get_args(member)[0]
        members[name] = shape_of(member, f"{where}.{name}", inner)
    return Record(members, [name for name in members if name in required])


def _constant(value: Any, where: str) -> Any:
    if isinstance(value, enum.Enum):
        value = value.value
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise PluginMistake(f"{where}: {value!r} is no JSON text, number, boolean or null; give it such a value")


def _annotated(hint: Any, where: str, within: tuple[Any, ...]) -> Shape:
    shape = shape_of(hint.__origin__, where, within)
    for extra in hint.__metadata__:
        if isinstance(extra, str):
            extra = Field(extra)
        if isinstance(extra, Field):
            _apply(extra, shape, where)
        elif extra is Field:
            raise PluginMistake(f'{where}: write Field("..") with a description, not Field alone')
    return shape


_FOR_TYPE = {
    "string": ("minLength", "maxLength"),
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    "array": ("minItems", "maxItems", "uniqueItems"),
    "object": ("minProperties", "maxProperties"),
}


def _apply(field: Field, shape: Shape, where: str) -> None:
    target = shape
    if isinstance(shape, Union) and field.bounds:
        options = [option for option in shape._options if option.schema.get("type") != "null"]
        if len(options) != 1:
            raise PluginMistake(f"{where}: bounds of a Union go inside: Union[Annotated[A, Field(..)], B]")
        target = options[0]
    kind = target.schema.get("type", "")
    for keyword, value in field.bounds.items():
        if isinstance(target, Choice) or keyword not in _FOR_TYPE.get(kind, ()):
            raise PluginMistake(f"{where}: {keyword} does not go with {kind or 'this type'}; remove it from Field")
        target.schema[keyword] = value
    if target is not shape:
        shape.schema = {"anyOf": [option.schema for option in shape._options]}  # type: ignore[attr-defined]
    shape.schema.update(field.notes)


def _set_default(shape: Shape, default: Any, where: str) -> None:
    value = default
    if default is not None and type(default) not in (str, int, float, bool):
        from .strict_json import NotJSON, plain  # not before it is needed: importing json takes time before `hello`

        try:
            value = plain(default)
        except NotJSON as error:
            raise PluginMistake(f"{where}: the default has no JSON form: {error}") from None
    problems: list[str] = []
    shape.check(value, "", problems)
    if problems:
        extra = "; use Optional[..]" if default is None else ""
        raise PluginMistake(f"{where}: the default does not fit its hint: {problems[0]}{extra}")
    shape.schema = {**shape.schema, "default": value}


def _shown(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and typing.get_origin(hint) is None else str(hint)


def parameters_shape(hints: dict[str, Any], defaults: dict[str, Any], where: str) -> Record:
    """The shape of a function's arguments, of its hints by name and the defaults that it has."""
    members: dict[str, Shape] = {}
    for name, hint in hints.items():
        members[name] = shape_of(hint, f"{where}, parameter {name}")
        if name in defaults:
            _set_default(members[name], defaults[name], f"{where}, parameter {name}")
    return Record(members, [name for name in members if name not in defaults])


def result_shape(hint: Any, where: str) -> Shape | None:
    """For results of a declared form: a dataclass, a TypedDict or any dict. Others have no output schema."""
    while hasattr(hint, "__metadata__"):
        hint = hint.__origin__
    if isinstance(hint, type) and (hasattr(hint, "__dataclass_fields__") or hasattr(hint, "__required_keys__")):
        return shape_of(hint, f"{where}, result")
    origin: Any = typing.get_origin(hint)
    if hint is dict or origin is dict:
        return Mapping(Shape())
    return None
