"""JSON as the ABI means it."""

from __future__ import annotations

import datetime
import decimal
import enum
from dataclasses import dataclass

import pytest

from nexus_plugin.strict_json import NotJSON, encode, parse


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"{}{}", b'{"a":1,"a":2}', b'{"a":1,"\\u0061":2}', b'"\\ud800"', b'{"\\ud800":1}', b'"a\nb"', b"[1,]"]
    + [b"NaN", b"[Infinity]", b"-Infinity", b"01", b"\xef\xbb\xbf{}", b'"\xff"', b"{}//x", b"nul", b"'a'", b"+1", b".5"]
    + [b"[" * 65 + b"]" * 65, b"[" * 200_000, b"[" + b"1," * 200_000 + b"1]", b'"' + b"x" * (2 << 20) + b'"'],
    ids=lambda text: repr(text[:20]),
)
def test_what_is_refused(text):
    with pytest.raises(NotJSON):
        parse(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b' {"a" : [1, 2.5, -3e2, true, null]}\n', {"a": [1, 2.5, -300.0, True, None]}),
        (b'"\\ud83d\\ude00 \\u00e9"', "\U0001f600 \u00e9"),
        ('"\U0001f600"'.encode(), "\U0001f600"),
        (b"[" * 64 + b"]" * 64, None),
        (b"1" * 4_000, int("1" * 4_000)),
        (b"9" * 5_000, float("inf")),
        (b"0", 0),
    ],
    ids=lambda one: repr(one)[:20],
)
def test_what_is_taken(text, value):
    assert value is None or parse(text) == value
    parse(text)


class Colour(enum.Enum):
    RED = "red"


class Text(str, enum.Enum):
    A = "a"


@dataclass
class Point:
    x: int
    y: list


def test_plain_values_dataclasses_and_enums_become_json():
    value = {"a": (1, 2.5, None, True), "b": Point(1, [Colour.RED, Text.A]), "\u00e9": "\U0001f600"}
    assert encode(value).decode() == '{"a":[1,2.5,null,true],"b":{"x":1,"y":["red","a"]},"\u00e9":"\U0001f600"}'


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": [1, float("nan")]}, "/a/1: nan is not JSON"),
        ([float("inf")], "/0: inf is not JSON"),
        ({"a": b"x"}, "/a: bytes is not JSON; send bytes with call.send"),
        ({"a": {1}}, "/a: set is not JSON; use a list"),
        ({1: 2}, "int is no name of a member; use str"),
        ({"a/b": object()}, "/a~1b: object is not JSON"),
        ("\ud800", "lone surrogate"),
        (datetime.date(2026, 1, 1), "use .isoformat"),
        (decimal.Decimal(1), "use str"),
        ((one for one in ()), "generator is not JSON; use list"),
        (10**5_000, "thousands of digits"),
        ("x" * (2 << 20), "the limit is 2097152"),
        ([None] * 200_000, "more than 200000 values"),
    ],
    ids=lambda one: str(type(one)),
)
def test_what_is_not_json_is_named_with_its_path(value, words):
    with pytest.raises(NotJSON) as caught:
        encode(value)
    assert words in str(caught.value)


def test_a_value_within_itself_is_refused():
    loop: list = []
    loop.append(loop)
    with pytest.raises(NotJSON, match="within itself"):
        encode(loop)
