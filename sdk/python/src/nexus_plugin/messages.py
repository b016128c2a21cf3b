"""Messages: the fields in a frame's body, read and written by the tables in `abi` (abi-v1.md section 4.2)."""

from __future__ import annotations

from .abi import (
    CREDENTIAL_BYTES,
    CREDENTIAL_FIELDS,
    CREDENTIALS_PER_CALL,
    DATA_BYTES,
    FIELDS,
    FIELDS_PER_FRAME,
    HEADER_BYTES,
    NAME_BYTES,
    TEXT_BYTES,
)
from .credentials import Credential
from .errors import ABIError
from .frames import Frame, header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Table = tuple[tuple[int, str, str, bool], ...]

_INTEGERS = {"u8": 1, "u32": 4, "u64": 8}
_TEXTS = {"name": NAME_BYTES, "text": TEXT_BYTES}


class Document:
    """JSON as it came, and what it says."""

    __slots__ = ("raw", "value")

    def __init__(self, raw: bytes, value: Any) -> None:
        self.raw = raw
        self.value = value


def decode(frame: Frame) -> dict[str, Any]:
    """The message of a frame: every field by name, None for an absent one, a list of Credential for `credential`.

    Raises ABIError `malformed-frame`, `missing-field` or `unknown-critical-field`.
    """
    with memoryview(frame.body) as body:
        message = _decode_fields(body, FIELDS.get(frame.kind, ()))
    if frame.kind == "data" and not 1 <= len(message["bytes"]) <= DATA_BYTES:
        raise ABIError("malformed-frame", f"a data frame of {len(message['bytes'])} bytes; 1 to {DATA_BYTES} are")
    if frame.kind == "credit" and message["bytes"] == 0:
        raise ABIError("malformed-frame", "a credit of 0 bytes")
    return message


def _decode_fields(body: memoryview, table: Table) -> dict[str, Any]:
    fields = {tag: (name, kind) for tag, name, kind, _ in table}
    found: dict[str, memoryview] = {}
    credentials: list[memoryview] = []
    for tag, value in _split(body):
        if tag not in fields:
            if tag & 0x8000:
                raise ABIError("unknown-critical-field", f"the critical field {tag:#06x} is not known here")
            continue
        name, kind = fields[tag]
        if kind == "credential":
            credentials.append(value)
        elif name in found:
            raise ABIError("malformed-frame", f"the field {name} appears twice")
        else:
            found[name] = value
    message: dict[str, Any] = {}
    for _, name, kind, required in table:
        if kind == "credential":
            message[name] = _credentials(credentials)
        elif name in found:
            message[name] = _value(name, kind, found[name])
        elif required:
            raise ABIError("missing-field", f"the field {name} is missing")
        else:
            message[name] = None
    return message


def _split(body: memoryview) -> list[tuple[int, memoryview]]:
    fields: list[tuple[int, memoryview]] = []
    position, end = 0, len(body)
    while position < end:
        if len(fields) == FIELDS_PER_FRAME:
            raise ABIError("malformed-frame", f"more than {FIELDS_PER_FRAME} fields in one frame")
        start = position + 6
        if start > end:
            raise ABIError("malformed-frame", "a field is cut off in its tag or length")
        position = start + int.from_bytes(body[start - 4 : start], "little")
        if position > end:
            raise ABIError("malformed-frame", "a field is longer than its frame")
        fields.append((int.from_bytes(body[start - 6 : start - 4], "little"), body[start:position]))
    return fields


def _value(name: str, kind: str, value: memoryview) -> Any:
    size = _INTEGERS.get(kind)
    if size is not None:
        if len(value) != size:
            raise ABIError("malformed-frame", f"the field {name} has {len(value)} bytes; a {kind} has {size}")
        return int.from_bytes(value, "little")
    if kind in _TEXTS:
        if len(value) > _TEXTS[kind]:
            raise ABIError("malformed-frame", f"the field {name} has {len(value)} bytes; the limit is {_TEXTS[kind]}")
        try:
            return str(value, "utf-8")
        except UnicodeDecodeError:
            raise ABIError("malformed-frame", f"the field {name} is not UTF-8") from None
    return bytes(value) if kind == "bytes" else _document(name, kind, bytes(value))


def _document(name: str, kind: str, raw: bytes) -> Document:
    if raw == b"{}":
        return Document(raw, {})  # most configurations; reading them must not cost the import of json
    from .strict_json import NotJSON, parse

    try:
        value = parse(raw)
    except NotJSON as error:
        raise ABIError("malformed-frame", f"the field {name} is not JSON: {error}") from None
    if kind == "object" and not isinstance(value, dict):
        raise ABIError("malformed-frame", f"the field {name} must be a JSON object")
    return Document(raw, value)


def _credentials(fields: list[memoryview]) -> list[Credential]:
    if len(fields) > CREDENTIALS_PER_CALL:
        raise ABIError("malformed-frame", f"more than {CREDENTIALS_PER_CALL} credentials in one call")
    credentials: list[Credential] = []
    try:
        for field in fields:
            credentials.append(_credential(field))
            if credentials[-1].name in {one.name for one in credentials[:-1]}:
                raise ABIError("malformed-frame", "two credentials of one call have the same name")
    except ABIError:
        for credential in credentials:
            credential.wipe()
        raise
    return credentials


def _credential(field: memoryview) -> Credential:
    found: dict[int, memoryview] = {}
    for tag, value in _split(field):
        if tag not in (1, 2):
            if tag & 0x8000:
                raise ABIError("unknown-critical-field", f"the critical field {tag:#06x} is not known in a credential")
        elif tag in found:
            raise ABIError("malformed-frame", f"the field {CREDENTIAL_FIELDS[tag - 1][1]} appears twice")
        else:
            found[tag] = value
    for tag, name, _, _ in CREDENTIAL_FIELDS:
        if tag not in found:
            raise ABIError("missing-field", f"a credential has no {name}")
    if len(found[2]) > CREDENTIAL_BYTES:
        raise ABIError("malformed-frame", f"a credential is longer than {CREDENTIAL_BYTES} bytes")
    return Credential(_value("name", "name", found[1]), found[2])


def encode(kind: str, stream: int = 0, message: dict[str, Any] | None = None) -> bytearray:
    """The whole frame, in the order of the table. It may hold a secret: whoever sends it wipes it.

    Every piece is written once into memory of the right size, so that no copy is left behind.
    """
    pieces: list[Any] = []
    for tag, name, form, required in FIELDS.get(kind, ()):
        value = (message or {}).get(name)
        if form == "credential":
            for credential in value or ():
                nested = [*_piece(1, credential.name.encode()), *_piece(2, credential.bytes)]
                length = sum(map(len, nested))
                pieces += [tag.to_bytes(2, "little") + length.to_bytes(4, "little"), *nested]
        elif value is not None and (required or form != "bytes" or value):
            pieces += _piece(tag, _bytes(form, value))
    frame = bytearray(HEADER_BYTES + sum(map(len, pieces)))
    frame[:HEADER_BYTES] = header(kind, stream, len(frame) - HEADER_BYTES)
    position = HEADER_BYTES
    for piece in pieces:
        frame[position : position + len(piece)] = piece
        position += len(piece)
    return frame


def _piece(tag: int, value: Any) -> list[Any]:
    return [tag.to_bytes(2, "little") + len(value).to_bytes(4, "little"), value]


def _bytes(form: str, value: Any) -> Any:
    if isinstance(value, int):
        return value.to_bytes(_INTEGERS[form], "little")
    if isinstance(value, str):
        return value.encode()
    return value.raw if isinstance(value, Document) else value
