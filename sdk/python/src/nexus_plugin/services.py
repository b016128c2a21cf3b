"""Requests to host services and their answers (abi-v1.md section 7.4)."""

from __future__ import annotations

import _socket
import json
from collections.abc import Mapping, Sequence

from .credentials import Credential
from .errors import ToolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any


class HTTPResponse:
    """An answer of any status: a 404 is an answer, not an error. Names of headers are in lower case."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> None:
        self.status = status
        self.headers = {name.lower(): value for name, value in (headers or {}).items()}
        self.body = body

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises ToolError `unavailable` if it is not."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise ToolError("unavailable", f"the answer (status {self.status}) is not JSON") from None

    @classmethod
    def of(cls, value: Any, body: bytes) -> HTTPResponse:
        status = value.get("status") if isinstance(value, dict) else None
        headers = value.get("headers", {}) if isinstance(value, dict) else {}
        if type(status) is not int or not 100 <= status <= 599 or not isinstance(headers, dict):
            raise ToolError("internal-error", "the host's answer to http.fetch has no HTTP status")
        return cls(status, {name: text for name, text in headers.items() if isinstance(text, str)}, body)

    def __repr__(self) -> str:
        return f"<HTTPResponse {self.status}, {len(self.body)} bytes>"


class KeyPage:
    """Keys in the order of their bytes, and whether there are more after the last."""

    __slots__ = ("keys", "more")

    def __init__(self, keys: list[str], more: bool) -> None:
        self.keys = keys
        self.more = more

    @classmethod
    def of(cls, value: Any) -> KeyPage:
        keys = value.get("keys") if isinstance(value, dict) else None
        if not isinstance(keys, list):
            raise ToolError("internal-error", "the host's answer to kv.list has no keys")
        return cls([str(key) for key in keys], bool(value.get("more")))


def list_request(prefix: str, after: str, limit: int) -> dict[str, Any]:
    request: dict[str, Any] = {"limit": limit}
    if prefix:
        request["prefix"] = prefix
    if after:
        request["after"] = after
    return request


def connect_request(host: str, port: int) -> bytearray:
    return bytearray(_json({"host": host, "port": port}))


def connection(descriptor: int) -> socket.socket:
    """A socket object that owns the descriptor. The jail does not tell the host's own address (getsockname), from which
    Python would guess the family; the socket itself knows it."""
    import socket

    unnamed = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM, 0, descriptor)
    family = unnamed.getsockopt(_socket.SOL_SOCKET, _socket.SO_DOMAIN)
    unnamed.detach()
    return socket.socket(family, socket.SOCK_STREAM, 0, descriptor)


def http_request(
    endpoint: str,
    path: str,
    method: str,
    query: str | None,
    headers: Mapping[str, str | Credential],
    sealed: Sequence[str] = (),
) -> bytearray:
    """The JSON of `http.fetch`. A credential is copied only into these bytes, which are overwritten once sent."""
    members: dict[str, Any] = {"endpoint": endpoint, "method": method, "path": path}
    if query is not None:
        members["query"] = query
    if sealed:
        members["sealed"] = list(sealed)
    pieces: list[bytes | bytearray] = [_json(members)[:-1], b',"headers":{' if headers else b""]
    try:
        for position, (name, value) in enumerate(headers.items()):
            pieces.append((b"," if position else b"") + _json(name) + b":")
            pieces.append(_quoted(name, value) if isinstance(value, Credential) else _json(value))
        pieces.append(b"}}" if headers else b"}")
        request = bytearray(sum(map(len, pieces)))
        position = 0
        for piece in pieces:
            request[position : position + len(piece)] = piece
            position += len(piece)
        return request
    finally:
        for piece in pieces:
            if isinstance(piece, bytearray):
                piece[:] = bytes(len(piece))


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _quoted(header: str, secret: Credential) -> bytearray:
    """A secret as a JSON string. Raises ToolError for one that cannot stand in a header (RFC 9110 section 5.5)."""
    quoted = bytearray(2 * len(secret) + 2)
    quoted[0] = 0x22
    end = 1
    with secret.bytes as value:
        for byte in value:
            if not 0x20 <= byte <= 0x7E:
                quoted[:] = bytes(len(quoted))
                raise ToolError(
                    "invalid-arguments",
                    f"the credential {secret.name} for the header {header} is not printable ASCII; store it again",
                )
            if byte in (0x22, 0x5C):
                quoted[end] = 0x5C
                end += 1
            quoted[end] = byte
            end += 1
    quoted[end] = 0x22
    del quoted[end + 1 :]
    return quoted
