"""Type hints become JSON Schema that the host supports, and arguments are held to it."""

from __future__ import annotations

import enum
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Dict, List, Literal, NewType, Optional, TypedDict, Union

import pytest

from nexus_plugin import Call, Field, InvalidArguments, Plugin, PluginMistake
from nexus_plugin.schema import shape_of

SWIFT = Path(__file__).resolve().parents[3] / "Sources" / "PluginABI" / "Schema" / "JSONSchema.swift"


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclass
class Point:
    x: Annotated[float, Field("East", minimum=0)]
    label: str = "here"
    tags: List[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.label == "nowhere":
            raise ValueError("label must be a place")


class Answer(TypedDict, total=False):
    count: int
    best: Optional[str]


@dataclass
class Node:
    inner: Optional[Node]


UserId = NewType("UserId", str)


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (str, {"type": "string"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (Any, {}),
        (UserId, {"type": "string"}),
        (list, {"type": "array", "items": {}}),
        (List[int], {"type": "array", "items": {"type": "integer"}}),
        (list[str], {"type": "array", "items": {"type": "string"}}),
        (dict, {"type": "object"}),
        (dict[str, Any], {"type": "object"}),
        (Dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (Optional[int], {"type": ["integer", "null"]}),
        (Union[int, str], {"type": ["integer", "string"]}),
        (Optional[List[int]], {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}]}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal["a", 1, None], {"enum": ["a", 1, None]}),
        (Size, {"type": "string", "enum": ["s", "l"]}),
        (Level, {"enum": [1, 2]}),
        (Annotated[str, "Who"], {"type": "string", "description": "Who"}),
        (
            Annotated[str, Field("Who", min_length=1, max_length=80, title="Name", examples=["Ada"])],
            {
                "type": "string",
                "minLength": 1,
                "maxLength": 80,
                "title": "Name",
                "description": "Who",
                "examples": ["Ada"],
            },
        ),
        (Annotated[int, Field(minimum=1, maximum=9)], {"type": "integer", "minimum": 1, "maximum": 9}),
        (
            Annotated[Optional[int], Field("Age", minimum=0)],
            {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}], "description": "Age"},
        ),
        (
            Annotated[List[int], Field(min_items=1, unique_items=True)],
            {"type": "array", "items": {"type": "integer"}, "minItems": 1, "uniqueItems": True},
        ),
        (
            Point,
            {
                "type": "object",
                "properties": {
                    "x": {"type": "number", "minimum": 0, "description": "East"},
                    "label": {"type": "string", "default": "here"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["x"],
                "additionalProperties": False,
            },
        ),
        (
            Answer,
            {
                "type": "object",
                "properties": {"count": {"type": "integer"}, "best": {"type": ["string", "null"]}},
                "additionalProperties": False,
            },
        ),
    ],
    ids=str,
)
def test_schema_of_hint(hint, schema):
    assert shape_of(hint, "x").schema == schema


def keywords(schema):
    if not isinstance(schema, dict):
        return set()
    found = set(schema)
    for name in ("items", "additionalProperties"):
        found |= keywords(schema.get(name))
    for part in schema.get("anyOf", []) + list(schema.get("properties", {}).values()):
        found |= keywords(part)
    return found


def test_only_keywords_that_the_host_supports_are_made():
    source = SWIFT.read_text(encoding="utf-8")
    supported = set(
        re.findall(r'"([$A-Za-z]+)"', source[source.index("annotations: Set") : source.index("types: Set")])
    )
    assert "minLength" in supported
    every = Field("d", title="t", examples=[1]).notes.keys() | Field(
        minimum=1, maximum=1, exclusive_minimum=1, exclusive_maximum=1, min_length=1, max_length=1, min_items=1,
        max_items=1, unique_items=True, min_properties=1, max_properties=1,
    ).bounds.keys()  # fmt: skip
    made = set(every)
    for case in test_schema_of_hint.pytestmark[0].args[1]:
        made |= keywords(case[1])
    assert made - supported == set()


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (bytes, "bytes has no JSON form; take base64 text"),
        (set, "use list"),
        (tuple, "use list"),
        (complex, "use one of str, int"),
        (Dict[int, str], "names of JSON members are str"),
        (Node, "holds itself"),
        (Literal[b"x"], "is no JSON text"),
        (Annotated[int, Field(min_length=1)], "minLength does not go with integer"),
        (Annotated[Size, Field(min_length=1)], "minLength does not go with"),
        (Annotated[Union[int, str], Field(minimum=1)], "bounds of a Union go inside"),
        (Annotated[str, Field], "not Field alone"),
        ("Call", "has no JSON form"),
    ],
    ids=str,
)
def test_hints_without_a_json_form_say_what_to_write_instead(hint, words):
    with pytest.raises(PluginMistake) as caught:
        shape_of(hint, "tool, parameter p")
    assert words in str(caught.value)
    assert str(caught.value).startswith("tool, parameter p")


@pytest.mark.parametrize(
    ("hint", "value", "built"),
    [
        (int, 3.0, 3),
        (float, 3, 3.0),
        (Size, "s", Size.SMALL),
        (Optional[Size], None, None),
        (List[Size], ["l"], [Size.LARGE]),
        (Union[int, List[int]], [1], [1]),
        (Point, {"x": 1}, Point(1.0)),
        (Dict[str, Point], {"a": {"x": 2, "label": "b"}}, {"a": Point(2.0, "b")}),
        (Literal[1, True], True, True),
    ],
    ids=str,
)
def test_values_become_python(hint, value, built):
    shape = shape_of(hint, "x")
    assert shape.fits(value)
    found = shape.build(value)
    assert found == built
    assert type(found) is type(built)


@pytest.mark.parametrize(
    ("hint", "value", "words"),
    [
        (int, True, "/: must be integer, found boolean"),
        (int, 1.5, "/: must be integer, found number"),
        (int, "1", "/: must be integer, found string"),
        (float, "1", "/: must be number, found string"),
        (bool, 1, "/: must be boolean, found integer"),
        (Literal[1], True, "/: must be one of 1"),
        (Size, "x", '/: must be one of "s", "l"'),
        (List[int], [1, "a"], "/1: must be integer, found string"),
        (Dict[str, int], {"a/b": None}, "/a~1b: must be integer, found null"),
        (
            Point,
            {"x": -1, "z": 0},
            "/x: must be at least 0, found -1; /z: is not known here; known are: x, label, tags",
        ),
        (Point, {}, '/: "x" is required and missing'),
        (Optional[Point], {"x": "a"}, "/x: must be number, found string"),
        (Union[int, List[int]], "a", "/: must match one of the 2 allowed forms, found string"),
        (Annotated[str, Field(max_length=2)], "\u00e9\U0001f600x", "/: must have at most 2 characters, found 3"),
        (Annotated[float, Field(exclusive_minimum=0)], 0, "/: must be more than 0, found 0"),
        (Annotated[List[int], Field(unique_items=True)], [1, 2, 1], "/: must not repeat an item"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_named_with_its_path(hint, value, words):
    problems: list[str] = []
    shape_of(hint, "x").check(value, "", problems)
    assert "; ".join(problems) == words


def test_at_most_a_few_problems_are_reported():
    problems: list[str] = []
    shape_of(List[int], "x").check(["a"] * 1_000, "", problems)
    assert len(problems) == 8


def test_postponed_hints_and_defaults_in_a_tool():
    plugin = Plugin("hello")

    @plugin.tool(description="d")
    def tool(call: Call, size: Size, where: Optional[Point] = None, *, often: int = 2) -> Answer:
        return {}

    entry = plugin.describe()["tools"][0]
    assert entry["inputSchema"]["required"] == ["size"]
    assert entry["inputSchema"]["properties"]["often"] == {"type": "integer", "default": 2}
    assert entry["inputSchema"]["properties"]["where"]["default"] is None
    assert entry["outputSchema"]["properties"]["count"] == {"type": "integer"}
    bound = plugin.tools["tool"].bind("the call", {"size": "l", "where": {"x": 1}})
    assert bound == {"call": "the call", "size": Size.LARGE, "where": Point(1.0)}
    with pytest.raises(InvalidArguments, match="label must be a place"):
        plugin.tools["tool"].bind("the call", {"size": "l", "where": {"x": 1, "label": "nowhere"}})


def test_new_unions_work_or_say_what_to_write():
    plugin = Plugin("hello")

    @plugin.tool(description="d")
    def tool(name: str | None = None) -> None: ...

    if sys.version_info >= (3, 10):
        assert plugin.describe()["tools"][0]["inputSchema"]["properties"]["name"]["type"] == ["string", "null"]
    else:
        with pytest.raises(PluginMistake, match=r"needs Python 3.10.*Optional\[X\]"):
            plugin.describe()
