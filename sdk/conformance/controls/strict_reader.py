"""How the controls read what a host sends: strictly, but for the modes that are about reading."""
import json
import struct
import sys

MODE = sys.argv[1] if len(sys.argv) > 1 else "right"
(HELLO, WELCOME, ABORT, INITIALIZE, INITIALIZED, START, STARTED, STOP, STOPPED, DISPOSE, DISPOSED, PING, PONG) = (
    1, 2, 3, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25)
CALL, RESULT, ERROR, CANCELLED, CANCEL, PROGRESS, DATA, CREDIT, TOOLS, HOST_CALL, LOG = (
    32, 33, 34, 35, 36, 37, 38, 39, 40, 48, 64)
KINDS = {*range(1, 4), *range(16, 26), *range(32, 41), 48, 64}
CREDENTIAL = 0x8001
# The fields of what a host sends: tag -> (name, type, required).
FIELDS = {
    WELCOME: {1: ("version", "u32", True), 2: ("instance", "name", True), 3: ("limit", "u32", True)},
    ABORT: {1: ("code", "name", True), 2: ("message", "text", True)},
    INITIALIZE: {1: ("configuration", "object", True)},
    STOP: {1: ("deadline", "u64", True)},
    PING: {1: ("nonce", "u64", True)},
    PONG: {1: ("nonce", "u64", True)},
    CALL: {1: ("tool", "name", True), 2: ("arguments", "object", True), 3: ("deadline", "u64", True),
           4: ("request", "name", True), 5: ("traceparent", "name", False), 6: ("tracestate", "text", False),
           CREDENTIAL: ("credentials", "credential", False)},
    RESULT: {1: ("json", "json", True), 2: ("bytes", "bytes", False)},
    ERROR: {1: ("code", "name", True), 2: ("message", "text", True), 3: ("retryable", "u8", False)},
    CANCELLED: {1: ("reason", "text", False)},
    CANCEL: {1: ("reason", "text", False)},
    CREDIT: {1: ("bytes", "u32", True)},
}
SIZES = {"u8": 1, "u32": 4, "u64": 8}
LIMITS = {"name": 128, "text": 16384, "bytes": 1 << 22, "object": 1 << 21, "json": 1 << 21, "credential": 1 << 20}


def wrong(*modes):
    return MODE in modes


class Refused(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


# ---- Bytes to fields -------------------------------------------------------------------------------------------


def malformed(message):
    return Refused("malformed-frame", message)


def too_deep(text):
    depth = deepest = 0
    inside = escaped = False
    for character in text:
        if inside:
            inside, escaped = escaped or character != '"', character == "\\" and not escaped
        elif character == '"':
            inside = True
        else:
            depth += (character in "[{") - (character in "]}")
            deepest = max(deepest, depth)
    return deepest > 64 and not wrong("no-limits")


def strict_json(data, outermost=None):
    if too_deep(data.decode("utf-8", "replace")):
        raise malformed("nested too deep")
    if wrong("lenient-json"):
        try:
            return json.loads(data)
        except ValueError:
            return {}

    def unique(pairs):
        if len({name for name, _ in pairs}) != len(pairs):
            raise ValueError("a name comes twice")
        return dict(pairs)

    def no_constant(name):
        raise ValueError(name + " is no JSON")

    try:
        text = data.decode("utf-8")
        if text.startswith("\ufeff"):
            raise ValueError("a byte-order mark")
        value = json.loads(text, object_pairs_hook=unique, parse_constant=no_constant)
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # lone surrogates
    except (ValueError, RecursionError) as error:
        raise malformed(f"not JSON: {error}") from None
    if outermost and not isinstance(value, outermost):
        raise malformed("not an object")
    return value


def split(body, known):
    fields, at, count = [], 0, 0
    while at < len(body):
        count += 1
        if count > 256 and not wrong("no-limits"):
            raise malformed("more than 256 fields")
        if len(body) - at < 6:
            raise malformed("a field is cut off")
        tag, length = struct.unpack_from("<HI", body, at)
        at += 6
        if length > len(body) - at:
            raise malformed("a field is cut off")
        if tag in known:
            fields.append((tag, body[at:at + length]))
        elif CREDENTIAL in known and wrong("skips-critical-fields-of-calls"):
            pass
        elif tag & 0x8000 and not wrong("skips-critical-fields") or wrong("refuses-unknown-fields"):
            raise Refused("unknown-critical-field", f"field {tag} is not known")
        at += length
    return fields


def value_of(kind, data):
    if kind in SIZES:
        if len(data) != SIZES[kind]:
            raise malformed("an integer of the wrong size")
        return int.from_bytes(data, "little")
    if len(data) > LIMITS[kind] and not wrong("no-limits"):
        raise malformed("a field over its limit")
    if kind in ("name", "text"):
        try:
            return data.decode("utf-8", "replace" if wrong("takes-any-bytes-for-text") else "strict")
        except UnicodeDecodeError:
            raise malformed("not UTF-8") from None
    if kind == "bytes":
        return data
    if kind == "credential":
        return credential(data)
    return strict_json(data, dict if kind == "object" else None)


def credential(data):
    parts = split(data, {1, 2})
    if len({tag for tag, _ in parts}) != len(parts) and not wrong("takes-the-last-of-two-fields"):
        raise malformed("a field comes twice")
    parts = dict(parts)
    if {1, 2} - parts.keys():
        raise Refused("missing-field", "a credential lacks a field")
    if len(parts[2]) > 16384 and not wrong("no-limits"):
        raise malformed("a credential is too long")
    return value_of("name", parts[1]), parts[2]


def message(kind, body):
    table = FIELDS.get(kind, {})
    said = {"credentials": {}}
    seen = set()
    number = 0
    for tag, data in split(body, table):
        name, type_, _ = table[tag]
        value = value_of(type_, data)
        if tag == CREDENTIAL:
            number += 1
            if value[0] in said["credentials"] and not wrong("takes-two-credentials-of-one-name"):
                raise malformed("two credentials have one name")
            if number > 16 and not wrong("no-limits"):
                raise malformed("too many credentials")
            said["credentials"][value[0]] = value[1]
        elif tag in seen and not wrong("takes-the-last-of-two-fields"):
            raise malformed("a field comes twice")
        else:
            said[name] = value
        seen.add(tag)
    for tag, (name, type_, required) in table.items():
        if required and tag not in seen:
            if not wrong("makes-up-missing-fields"):
                raise Refused("missing-field", f"{name} is missing")
            said[name] = {} if type_ == "object" else 0 if type_ in SIZES else ""
    if kind == CREDIT and said["bytes"] == 0 and not wrong("takes-a-credit-of-nothing"):
        raise malformed("credit of nothing")
    return said


def header(data, limit):
    length, kind, flags, reserved, number = struct.unpack("<IBBHQ", data)
    if length > 1 << 20 and wrong("refuses-long-frames"):
        raise Refused("frame-too-large", f"{length} bytes")
    if length > limit and not wrong("waits-for-what-it-must-refuse"):
        raise Refused("malformed-frame" if wrong("has-one-code-for-all") else "frame-too-large", f"{length} bytes")
    if kind not in KINDS and not wrong("skips-unknown-kinds"):
        raise Refused("malformed-frame" if wrong("has-one-code-for-all") else "unknown-kind", f"kind {kind}")
    if (flags or reserved) and not wrong("ignores-flags"):
        raise malformed("flags and reserved bytes are 0")
    return length, kind, number


def field(tag, value):
    return struct.pack("<HI", tag, len(value)) + value


# ---- What may come where ---------------------------------------------------------------------------------------

MOVES = {("greeted", WELCOME): "welcomed", ("welcomed", INITIALIZE): "initialized", ("initialized", START): "running",
         ("running", STOP): "stopping", ("stopped", START): "running", ("welcomed", DISPOSE): "disposed",
         ("initialized", DISPOSE): "disposed", ("stopped", DISPOSE): "disposed"}


def belongs(kind, number):
    if kind in (CALL, CREDIT, CANCEL):
        return number % 2 == 1
    if kind in (RESULT, ERROR, CANCELLED):
        return number and number % 2 == 0
    return number == 0 and kind in (WELCOME, ABORT, INITIALIZE, START, STOP, DISPOSE, PING, PONG)


def allowed(kind, now):
    if (now, kind) in MOVES or kind in (PING, PONG, ABORT):
        return True
    if kind == CALL:
        return now == "running" or now == "stopping" and wrong("takes-calls-while-stopping")
    return kind in (RESULT, ERROR, CANCELLED, CANCEL, CREDIT) and now in ("running", "stopping", "stopped")
