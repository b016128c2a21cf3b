"""Nexus plugins in Python: the ABI's version 1, with nothing but the standard library.

from typing import Annotated

from nexus_plugin import Call, Field, Plugin

plugin = Plugin("hello")

@plugin.tool(description="Greets somebody")
def hello_greet(call: Call, name: Annotated[str, Field("Whom to greet", min_length=1)], times: int = 1) -> dict:
    return {"greeting": f"Hello, {name}! " * times}

if __name__ == "__main__":
    plugin.run()
"""

from .calls import AsyncCall, Call
from .credentials import Credential
from .errors import ABIError, Cancelled, InvalidArguments, NexusError, PluginMistake, ToolError
from .fields import Field
from .plugin import Plugin, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .logs import LogHandler
    from .services import HTTPResponse, KeyPage

__version__ = "0.1.0"
__all__ = [
    "ABIError",
    "AsyncCall",
    "Call",
    "Cancelled",
    "Credential",
    "Field",
    "HTTPResponse",
    "InvalidArguments",
    "KeyPage",
    "LogHandler",
    "NexusError",
    "Plugin",
    "PluginMistake",
    "Result",
    "ToolError",
]

_LATER = {"HTTPResponse": "services", "KeyPage": "services", "LogHandler": "logs"}


def __getattr__(name: str) -> object:
    """Loads what few plugins need, and none before its `hello`, on first use."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_LATER[name]}", __name__), name)
