"""The frames of wrong_host.py, read as strictly as the ABI says, or as loosely as its mode does."""
import json, os, signal, struct, sys, time

HELLO, WELCOME, ABORT, INITIALIZE, INITIALIZED, START, STARTED, STOP, STOPPED, DISPOSE, DISPOSED, PING, PONG = (
    1, 2, 3, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25)
CALL, RESULT, ERROR, CANCELLED, CANCEL, PROGRESS, DATA, CREDIT, TOOLS, HOST_CALL, LOG = (
    32, 33, 34, 35, 36, 37, 38, 39, 40, 48, 64)
U8, U32, U64, NAME, TEXT, JSON, OBJECT, BYTES = "u8 u32 u64 name text json object bytes".split()
# kind: {tag: (type, is required)}
FIELDS = {
    HELLO: {1: (U32, 1), 2: (U32, 1), 3: (NAME, 1), 4: (NAME, 0)}, ABORT: {1: (NAME, 1), 2: (TEXT, 1)},
    INITIALIZED: {}, STARTED: {}, STOPPED: {}, DISPOSED: {}, PING: {1: (U64, 1)}, PONG: {1: (U64, 1)},
    RESULT: {1: (JSON, 1), 2: (BYTES, 0)}, ERROR: {1: (NAME, 1), 2: (TEXT, 1), 3: (U8, 0)},
    CANCELLED: {1: (TEXT, 0)}, CANCEL: {1: (TEXT, 0)}, PROGRESS: {1: (U64, 1), 2: (U64, 0), 3: (TEXT, 0)},
    DATA: {1: (BYTES, 1)}, TOOLS: {1: (OBJECT, 1)},
    HOST_CALL: {1: (NAME, 1), 2: (U64, 1), 3: (OBJECT, 1), 4: (BYTES, 0), 5: (NAME, 0)},
    LOG: {1: (U8, 0), 2: (TEXT, 1), 3: (OBJECT, 0)},
}
KINDS = set(FIELDS) | {WELCOME, INITIALIZE, START, STOP, DISPOSE, CALL, CREDIT}
STEPS = {(None, HELLO): "greeted", ("initializing", INITIALIZED): "initialized", ("starting", STARTED): "running",
         ("stopping", STOPPED): "stopped", ("disposing", DISPOSED): "disposed"}
LIMITS = {NAME: 128, TEXT: 16384, JSON: 2 << 20, OBJECT: 2 << 20}
BODY, HANDSHAKE, FIRST_CREDIT = 4 << 20, 4096, 262144
MODE = sys.argv[1]


class Refused(Exception):
    def __init__(self, code, message):
        self.code = code
        super().__init__(f"{message} ({code})")


def now():
    return int(time.time() * 1000)


def field(tag, value):
    return struct.pack("<HI", tag, len(value)) + value


def parse_json(raw):
    def unique(pairs):
        if len({name for name, _ in pairs}) < len(pairs) and MODE != "accepts-duplicate-members":
            raise ValueError("a member appears twice")
        return dict(pairs)

    def refuse(word):
        raise ValueError(f"{word} is not JSON")
    return json.loads(raw.decode("utf-8"), object_pairs_hook=unique, parse_constant=refuse)


def depth(document):
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def value_of(kind, raw):
    if kind in (U8, U32, U64):
        if len(raw) != {U8: 1, U32: 4, U64: 8}[kind]:
            raise Refused("malformed-frame", "an integer has the wrong size")
        return int.from_bytes(raw, "little")
    if len(raw) > LIMITS.get(kind, BODY):
        raise Refused("malformed-frame", f"a {kind} of {len(raw)} bytes")
    if kind == BYTES:
        return raw
    if kind in (NAME, TEXT):
        if MODE == "accepts-bad-text":
            return raw.decode("utf-8", "replace")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("malformed-frame", "text is not UTF-8")
    if MODE != "accepts-bad-json":
        try:
            document = parse_json(raw)
            if depth(document) > 64:
                raise ValueError("nested deeper than 64")
            json.dumps(document, ensure_ascii=False).encode("utf-8")
        except (ValueError, RecursionError) as error:
            raise Refused("malformed-frame", f"bad JSON: {error}")
        if kind == OBJECT and not isinstance(document, dict):
            raise Refused("malformed-frame", "not an object")
    return raw


def fields_of(kind, body):
    known, found, rest, count = FIELDS[kind], {}, body, 0
    while rest:
        count += 1
        if len(rest) < 6 or count > 256:
            raise Refused("malformed-frame", "a field is cut off, or there are too many")
        tag, length = struct.unpack("<HI", rest[:6])
        if length > len(rest) - 6:
            raise Refused("malformed-frame", "a field is longer than its frame")
        raw, rest = rest[6:6 + length], rest[6 + length:]
        if tag not in known:
            if tag & 0x8000 and MODE != "accepts-critical":
                raise Refused("unknown-critical-field", f"field {tag}")
            if MODE == "refuses-unknown-field":
                raise Refused("malformed-frame", f"field {tag}")
            continue
        if tag in found and MODE != "accepts-duplicate-field":
            raise Refused("malformed-frame", f"field {tag} twice")
        found[tag] = value_of(known[tag][0], raw)
    for tag, (_, required) in known.items():
        if required and tag not in found:
            if MODE != "accepts-missing-field":
                raise Refused("missing-field", f"field {tag}")
            found[tag] = b"{}" if known[tag][0] in (JSON, OBJECT) else ""
    return found


class Call:
    def __init__(self, stream, request, answer):
        self.stream, self.request, self.answer = stream, request, answer
        self.data, self.credit, self.begun = bytearray(), FIRST_CREDIT, time.time()


def kill_group(process):
    try:
        os.killpg(process, signal.SIGKILL)
    except ProcessLookupError:
        pass
