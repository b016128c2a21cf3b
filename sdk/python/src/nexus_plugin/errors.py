"""What can go wrong, by who has to act on it."""

from __future__ import annotations

from .abi import ERRORS, NAME_BYTES, TEXT_BYTES


class NexusError(Exception):
    """Everything that this package raises."""


class ABIError(NexusError):
    """The peer broke the protocol. The session ends with `abort` and this code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class PluginMistake(NexusError):
    """A plugin that is not put together rightly; the message says what to change."""


class ToolError(NexusError):
    """Why a call failed, in words that the agent at the other end can act on.

    A tool raises it with a code of the ABI or its own `plugin-name.what`; host services raise it too. `retryable` is
    true if the same call may succeed later without any change; by default what the ABI says of the code. Raises
    PluginMistake for a message that says nothing.
    """

    def __init__(self, code: str, message: str, retryable: bool | None = None) -> None:
        if not isinstance(code, str) or not isinstance(message, str) or not message.strip():
            raise PluginMistake(
                f"ToolError({code!r}, {message!r}) says nothing: write a code and, as text, what failed, with which "
                "value, and what to do (ABI-9.6)"
            )
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retryable = ERRORS.get(code, (False, False))[0] if retryable is None else retryable


class InvalidArguments(ToolError):
    """The arguments do not fit; the message says which, and what would fit."""

    def __init__(self, message: str) -> None:
        super().__init__("invalid-arguments", message)


class AuthorMistake(ToolError):
    """What a tool's author has to correct. Its text goes to the caller and to the plugin's log."""

    def __init__(self, message: str) -> None:
        super().__init__("plugin-failed", message)


class Cancelled(ToolError):
    """The host cancelled the call, or its deadline passed. A tool lets it through."""

    def __init__(self, message: str = "the host cancelled the call", code: str = "cancelled") -> None:
        super().__init__(code, message)


def clipped(text: str, limit: int) -> str:
    """The longest prefix that fits in `limit` bytes of UTF-8; an ellipsis tells of a cut. Lone surrogates become ?."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= limit:
        return encoded.decode()
    return encoded[: limit - 3].decode("utf-8", "ignore") + "…"


def error_fields(error: ToolError | ABIError) -> dict[str, object]:
    """The fields of an `error`, within the limits whatever its author wrote."""
    return {
        "code": clipped(error.code, NAME_BYTES) or "plugin-failed",
        "message": clipped(error.message, TEXT_BYTES) or f"failed with {error.code}",
        "retryable": int(getattr(error, "retryable", False)),
    }


def pointer(name: object) -> str:
    """A member name as part of a JSON Pointer (RFC 6901)."""
    return str(name).replace("~", "~0").replace("/", "~1")[:80]
