"""What an author writes: a `Plugin` and its tools."""

from __future__ import annotations

import sys

from .abi import CREDENTIALS_PER_CALL
from .errors import InvalidArguments, PluginMistake

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, NoReturn, TypeVar

    from .calls import CallContext
    from .session import Session
    from .shapes import Record, Shape

    Function = TypeVar("Function", bound=Callable[..., Any])

_VARIADIC, _GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x04 | 0x08, 0x20, 0x80, 0x200
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
_NAME = _LETTERS | frozenset("0123456789_-")
_PLAIN = frozenset({str, int, float, bool, dict, list, None, "str", "int", "float", "bool", "dict", "list", "None"})


def check_name(name: object, what: str) -> str:
    """A name that is safe in paths, logs and commands. Raises PluginMistake."""
    if not isinstance(name, str) or not 1 <= len(name) <= 64 or name[0] not in _LETTERS or not _NAME.issuperset(name):
        raise PluginMistake(
            f"{what} {name!r} is not a name: use a-z, 0-9, _ and -, starting with a letter, at most 64 characters"
        )
    return name


def check_text(text: object, limit: int, what: str) -> str:
    """Text that people decide by. Raises PluginMistake for what is empty, too long or not printable."""
    if not isinstance(text, str) or not 1 <= len(text) <= limit or not text.isprintable():
        raise PluginMistake(f"{what} must be one line of 1 to {limit} printable characters")
    return text


class Tool:
    """A registered function. Its hints are evaluated once they are needed: names may be defined below it."""

    def __init__(self, function: Callable[..., Any], name: str, entry: dict[str, Any]) -> None:
        self.function = function
        self.name = name
        self.entry = entry
        code = getattr(function, "__code__", None)
        if code is None:
            raise PluginMistake(f"the tool {name} is a {type(function).__name__}; decorate a function made with def")
        if code.co_flags & _VARIADIC or getattr(code, "co_posonlyargcount", 0):
            raise PluginMistake(f"{name}: *, ** and / in the signature have no JSON form; name each parameter")
        if code.co_flags & (_GENERATOR | _ASYNC_GENERATOR):
            raise PluginMistake(f"{name} yields; send parts with call.send or call.progress, and return the result")
        self.is_async = bool(code.co_flags & _COROUTINE)
        count = code.co_argcount
        self.parameters: tuple[str, ...] = code.co_varnames[: count + code.co_kwonlyargcount]
        defaults = function.__defaults__ or ()
        self.defaults: dict[str, Any] = dict(zip(self.parameters[count - len(defaults) : count], defaults))
        self.defaults.update(function.__kwdefaults__ or {})
        missing = [one for one in self.parameters if one not in function.__annotations__]
        if missing:
            raise PluginMistake(
                f"{name}: the parameter {missing[0]} has no type hint; write {missing[0]}: str, or what it is"
                + (f" (Call is {'AsyncCall' if self.is_async else 'Call'})" if missing[0] == "call" else "")
            )
        self._call: str | None = None
        self._shape: Record | None = None
        self._result: Shape | None = None

    @property
    def is_plain(self) -> bool:
        """True if nothing can be wrong with its hints, so that they need not be looked at before the first call."""
        from .calls import AsyncCall, Call

        mine = AsyncCall if self.is_async else Call
        annotations = dict(self.function.__annotations__)
        if self.parameters:
            first = annotations[self.parameters[0]]
            if first is mine or (first == mine.__name__ and self.function.__globals__.get(first) is mine):
                del annotations[self.parameters[0]]
        return not self.defaults and all(
            isinstance(hint, (type, str, type(None))) and hint in _PLAIN for hint in annotations.values()
        )

    def resolve(self) -> Record:
        """Evaluates the hints. Raises PluginMistake."""
        if self._shape is None:
            from .calls import AsyncCall, Call, CallContext
            from .schema import hints_of, parameters_shape, result_shape

            hints = hints_of(self.function, self.name)
            result = hints.pop("return", None)
            for position, (name, hint) in enumerate(list(hints.items())):
                if isinstance(hint, type) and issubclass(hint, CallContext):
                    wanted = AsyncCall if self.is_async else Call
                    if position or hint is not wanted:
                        kind = "an async def" if self.is_async else "a plain def"
                        raise PluginMistake(
                            f"{self.name}: {kind} takes its call as first parameter, of {wanted.__name__}"
                        )
                    self._call = name
                    del hints[name]
            self._result = result_shape(result, self.name)
            self._shape = parameters_shape(hints, self.defaults, self.name)
        return self._shape

    def bind(self, call: CallContext, arguments: Any) -> dict[str, Any]:
        """The function's keywords. Raises InvalidArguments, in words by which an agent can correct itself."""
        shape = self.resolve()
        problems: list[str] = []
        shape.check(arguments, "", problems)
        if problems:
            raise InvalidArguments(f"the arguments do not fit {self.name}: " + "; ".join(problems))
        try:
            keywords: dict[str, Any] = shape.build(arguments)
        except (TypeError, ValueError) as error:
            raise InvalidArguments(f"the arguments do not fit {self.name}: {error}") from error
        if self._call is not None:
            keywords[self._call] = call
        return keywords

    @property
    def has_result_shape(self) -> bool:
        return self._result is not None

    def check_result(self, value: Any) -> list[str]:
        """What is wrong with a result, where the function declares its form."""
        problems: list[str] = []
        if self._result is not None:
            self._result.check(value, "", problems)
        return problems

    def describe(self) -> dict[str, Any]:
        """Its entry under `tools` of the manifest."""
        entry = {"name": self.name, **self.entry, "inputSchema": self.resolve().schema}
        if self._result is not None:
            entry["outputSchema"] = self._result.schema
        order = ("name", "title", "description", "inputSchema", "outputSchema", "annotations", "credentials", "content")
        return {key: entry[key] for key in order if key in entry}


class Result:
    """A result with a byte payload: the last part of it, after everything that `call.send` sent."""

    __slots__ = ("data", "value")

    def __init__(self, value: Any, data: bytes = b"") -> None:
        self.value = value
        self.data = data


class Plugin:
    """A plugin. `max_threads` bounds the plain functions that run at once; threads are made when they are needed."""

    def __init__(self, name: str, *, max_threads: int = 64) -> None:
        self.name = check_name(name, "the plugin's name")
        self.max_threads = max(1, max_threads)
        self.tools: dict[str, Tool] = {}
        self.operations: dict[str, Tool] = {}
        self.hooks: dict[str, Callable[..., Any]] = {}
        self._session: Session | None = None

    def tool(
        self,
        *,
        description: str = "",
        name: str | None = None,
        title: str | None = None,
        annotations: dict[str, Any] | None = None,
        credentials: Iterable[str] = (),
        content: str | None = None,
    ) -> Callable[[Function], Function]:
        """Registers a function as a tool. Without a description, the docstring's first paragraph is it.

        `annotations` are MCP's hints such as {"readOnlyHint": True}; `credentials` name those of the manifest that the
        tool needs; `content` is the media type of its byte payload. Raises PluginMistake, which says what to change.
        """

        def register(function: Function) -> Function:
            tool_name = check_name(name or getattr(function, "__name__", None), "the tool")
            if tool_name in self.tools:
                raise PluginMistake(f'the tool "{tool_name}" is registered twice; give one of them another name=')
            text = description or " ".join((function.__doc__ or "").strip().split("\n\n")[0].split())
            if not text:
                raise PluginMistake(f'{tool_name} has no description; write @plugin.tool(description="..")')
            entry: dict[str, Any] = {"description": check_text(text, 2_000, f"{tool_name}: the description")}
            if title is not None:
                entry["title"] = check_text(title, 100, f"{tool_name}: the title")
            if annotations is not None:
                entry["annotations"] = dict(annotations)
            names = [check_name(one, f"{tool_name}: the credential") for one in credentials]
            if len(names) > CREDENTIALS_PER_CALL or len(set(names)) != len(names):
                raise PluginMistake(f"{tool_name}: at most {CREDENTIALS_PER_CALL} credentials, each named once")
            if names:
                entry["credentials"] = names
            if content is not None:
                entry["content"] = check_text(content, 100, f"{tool_name}: the content")
            self.tools[tool_name] = Tool(function, tool_name, entry)
            return function

        if callable(description):
            raise PluginMistake('write @plugin.tool(description="..") with parentheses')
        return register

    def authenticator(self, function: Function) -> Function:
        """Registers the one operation of an authentication plugin: `def check(call: Call, scheme: str) -> dict`.

        The credential `presented` is what somebody presented. Return {"principal": .., "groups": [..], "expires": ..},
        or raise ToolError("unauthenticated", ..).
        """
        self.operations["authenticate"] = Tool(function, "authenticate", {"description": "authenticates somebody"})
        return function

    def on_initialize(self, function: Function) -> Function:
        """Runs with the configuration, a dict, before the plugin is ready. What it raises ends the session."""
        return self._hook("initialize", function)

    def on_start(self, function: Function) -> Function:
        """Runs before the first call, and after each stop. What it raises ends the session."""
        return self._hook("start", function)

    def on_stop(self, function: Function) -> Function:
        """Runs when the last call has ended after the host's `stop`."""
        return self._hook("stop", function)

    def on_dispose(self, function: Function) -> Function:
        """Runs last."""
        return self._hook("dispose", function)

    def _hook(self, name: str, function: Function) -> Function:
        if name in self.hooks:
            raise PluginMistake(f"on_{name} is registered twice; one function can do both")
        self.hooks[name] = function
        return function

    def check(self) -> None:
        """Raises PluginMistake for the first hint that has no JSON form."""
        for tool in [*self.tools.values(), *self.operations.values()]:
            if not tool.is_plain:
                tool.resolve()

    def describe(self) -> dict[str, Any]:
        """{"tools": [..]}, as the manifest has them."""
        return {"tools": [tool.describe() for tool in self.tools.values()]}

    def log(self, level: str, message: str, **fields: Any) -> None:
        """One record that belongs to no call. Before the session and after it there is nobody to send it to."""
        if self._session is not None:
            self._session.log(level, message, fields)

    def offer_tools(self) -> None:
        """For connectors: tells the host which tools there are now, after some were added or removed."""
        if self._session is not None:
            from .strict_json import encode

            self._session.send("tools", message={"json": encode(self.describe())})

    def run(self) -> NoReturn:
        """Serves the host on file descriptor 3 until the session ends, then ends the process.

        Exit status 0: disposed of, or the host closed the socket. 1: either side broke the protocol, or the plugin
        could not start; standard error says why. With --describe it prints the tools instead and exits.
        """
        from .process import describe, serve

        if "--describe" in sys.argv[1:]:
            describe(self)
        serve(self)
