"""An author's mistakes are named where they are made, with what to do."""

from __future__ import annotations

import functools
from typing import Annotated, Literal

import pytest

from nexus_plugin import AsyncCall, Call, Field, Plugin, PluginMistake


def mistake(words):
    return pytest.raises(PluginMistake, match=words)


@pytest.fixture
def plugin():
    return Plugin("hello")


def test_the_same_tool_twice(plugin):
    plugin.tool(description="d", name="a")(lambda: None)
    with mistake('the tool "a" is registered twice; give one of them another name='):
        plugin.tool(description="d", name="a")(lambda: None)


@pytest.mark.parametrize("name", ["", "A", "1a", "a b", "a/b", "\u00e9", "a" * 65, "_a"])
def test_names_that_are_none(plugin, name):
    with mistake("is not a name: use a-z"):
        Plugin(name)
    with mistake("is not a name: use a-z"):
        plugin.tool(description="d", name=name or "A")(lambda: None)


def test_no_description(plugin):
    with mistake("tool has no description; write @plugin.tool"):

        @plugin.tool()
        def tool() -> None: ...


def test_the_docstring_is_the_description(plugin):
    @plugin.tool()
    def tool() -> None:
        """Greets
        somebody.

        More for people who read the code.
        """

    assert plugin.describe()["tools"][0]["description"] == "Greets somebody."


def test_a_description_that_moves_the_cursor(plugin):
    with mistake("must be one line of 1 to 2000 printable characters"):
        plugin.tool(description="a\x1b[2J", name="a")(lambda: None)


def test_no_hint(plugin):
    with mistake("tool: the parameter name has no type hint; write name: str"):

        @plugin.tool(description="d")
        def tool(name): ...


@pytest.mark.parametrize("function", [lambda *a: None, lambda **k: None, lambda a, /: None])
def test_signatures_without_a_json_form(plugin, function):
    with mistake("name each parameter"):
        plugin.tool(description="d", name="a")(function)


def test_generators(plugin):
    def yields(call: Call):
        yield 1

    async def yields_too(call: AsyncCall):
        yield 1

    for function in (yields, yields_too):
        with mistake("send parts with call.send"):
            plugin.tool(description="d")(function)


def test_what_is_no_function(plugin):
    with mistake("decorate a function made with def"):
        plugin.tool(description="d", name="a")(functools.partial(print))


def test_forgotten_parentheses(plugin):
    with mistake("with parentheses"):
        plugin.tool(description=lambda: None)


def test_the_call_in_the_wrong_place(plugin):
    @plugin.tool(description="d")
    def tool(name: str, call: Call) -> None: ...

    with mistake("a plain def takes its call as first parameter, of Call"):
        plugin.check()


def test_an_unsupported_type_is_found_at_the_start(plugin):
    @plugin.tool(description="d")
    def tool(data: bytes) -> None: ...

    with mistake("tool, parameter data: bytes has no JSON form; take base64 text as str"):
        plugin.check()


def test_a_default_that_does_not_fit(plugin):
    @plugin.tool(description="d")
    def tool(name: str = None) -> None: ...  # type: ignore[assignment]

    try:
        plugin.check()
    except PluginMistake as error:
        assert "use Optional" in str(error)
    else:  # before 3.11 a default of None makes the hint Optional
        assert plugin.describe()["tools"][0]["inputSchema"]["properties"]["name"]["type"] == ["string", "null"]


def test_bounds_that_nothing_meets():
    with pytest.raises(ValueError, match="minimum 5 is above maximum 1"):
        Field(minimum=5, maximum=1)
    with pytest.raises(ValueError, match="minLength must be an integer from 0"):
        Field(min_length=-1)


def test_hooks_twice(plugin):
    plugin.on_start(lambda: None)
    with mistake("on_start is registered twice"):
        plugin.on_start(lambda: None)


def test_credentials_twice(plugin):
    with mistake("each named once"):
        plugin.tool(description="d", name="a", credentials=["k", "k"])(lambda: None)


def test_an_entry_of_the_manifest(plugin):
    @plugin.tool(
        description="Greets",
        title="Greeting",
        annotations={"readOnlyHint": True},
        credentials=["api_key"],
        content="text/plain",
    )
    def hello_greet(
        call: Call, name: Annotated[str, Field("Whom")], tone: Literal["warm", "cool"] = "warm"
    ) -> dict: ...

    assert plugin.describe() == {
        "tools": [
            {
                "name": "hello_greet",
                "title": "Greeting",
                "description": "Greets",
                "inputSchema": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string", "description": "Whom"},
                        "tone": {"type": "string", "enum": ["warm", "cool"], "default": "warm"},
                    },
                    "required": ["name"],
                    "additionalProperties": False,
                },
                "outputSchema": {"type": "object"},
                "annotations": {"readOnlyHint": True},
                "credentials": ["api_key"],
                "content": "text/plain",
            }
        ]
    }


def test_an_async_tool_with_the_call_of_a_plain_one(plugin):
    @plugin.tool(description="d")
    async def wrong(call: Call) -> None: ...

    with mistake("an async def takes its call as first parameter, of AsyncCall"):
        plugin.check()
