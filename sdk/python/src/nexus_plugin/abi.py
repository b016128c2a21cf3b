"""The tables of the plugin ABI, version 1, as data.

A test holds each of them against sdk/spec/abi-v1.json. Nothing here imports anything: this is read before `hello`.
"""

VERSIONS = (1, 1)
SDK_NAME = "nexus-python/0.1.0"

HEADER_BYTES = 16
BODY_BYTES = 4 << 20
HANDSHAKE_BODY_BYTES = 4 << 10
FIELDS_PER_FRAME = 256
JSON_BYTES = 2 << 20
JSON_DEPTH = 64
JSON_VALUES = 200_000
NAME_BYTES = 128
TEXT_BYTES = 16 << 10
CREDENTIAL_BYTES = 16 << 10
CREDENTIALS_PER_CALL = 16
OPEN_HOST_CALLS = 32
DATA_BYTES = 256 << 10
INITIAL_CREDIT_BYTES = 256 << 10
CREDIT_BYTES = 16 << 20

HOST, PLUGIN = "host", "plugin"

#: kind -> (number, who sends it, on which stream). `own` is a stream that the sender opens, `peer` one that the other
#: side opened, `session` is 0.
KINDS: "dict[str, tuple[int, str, str]]" = {
    "hello": (1, PLUGIN, "session"),
    "welcome": (2, HOST, "session"),
    "abort": (3, "both", "session"),
    "initialize": (16, HOST, "session"),
    "initialized": (17, PLUGIN, "session"),
    "start": (18, HOST, "session"),
    "started": (19, PLUGIN, "session"),
    "stop": (20, HOST, "session"),
    "stopped": (21, PLUGIN, "session"),
    "dispose": (22, HOST, "session"),
    "disposed": (23, PLUGIN, "session"),
    "ping": (24, "both", "session"),
    "pong": (25, "both", "session"),
    "call": (32, HOST, "own"),
    "result": (33, "both", "peer"),
    "error": (34, "both", "peer-or-session"),
    "cancelled": (35, "both", "peer"),
    "cancel": (36, "both", "own"),
    "progress": (37, PLUGIN, "peer"),
    "data": (38, PLUGIN, "peer"),
    "credit": (39, HOST, "own"),
    "tools": (40, PLUGIN, "session"),
    "hostCall": (48, PLUGIN, "own"),
    "log": (64, PLUGIN, "session-or-peer"),
}
NAMES = {number: name for name, (number, _, _) in KINDS.items()}

#: kind -> its fields: (tag, name, type, required). Kinds without fields are absent.
FIELDS: "dict[str, tuple[tuple[int, str, str, bool], ...]]" = {
    "hello": (
        (1, "versionMinimum", "u32", True),
        (2, "versionMaximum", "u32", True),
        (3, "name", "name", True),
        (4, "sdk", "name", False),
    ),
    "welcome": ((1, "version", "u32", True), (2, "instance", "name", True), (3, "bodyLimit", "u32", True)),
    "abort": ((1, "code", "name", True), (2, "message", "text", True)),
    "initialize": ((1, "configuration", "object", True),),
    "stop": ((1, "deadline", "u64", True),),
    "ping": ((1, "nonce", "u64", True),),
    "pong": ((1, "nonce", "u64", True),),
    "call": (
        (1, "tool", "name", True),
        (2, "arguments", "object", True),
        (3, "deadline", "u64", True),
        (4, "requestID", "name", True),
        (5, "traceparent", "name", False),
        (6, "tracestate", "text", False),
        (0x8001, "credential", "credential", False),
    ),
    "result": ((1, "json", "JSON", True), (2, "bytes", "bytes", False)),
    "error": ((1, "code", "name", True), (2, "message", "text", True), (3, "retryable", "u8", False)),
    "cancelled": ((1, "reason", "text", False),),
    "cancel": ((1, "reason", "text", False),),
    "progress": ((1, "done", "u64", True), (2, "total", "u64", False), (3, "message", "text", False)),
    "data": ((1, "bytes", "bytes", True),),
    "credit": ((1, "bytes", "u32", True),),
    "tools": ((1, "json", "object", True),),
    "hostCall": (
        (1, "service", "name", True),
        (2, "parent", "u64", True),
        (3, "json", "object", True),
        (4, "bytes", "bytes", False),
        (5, "traceparent", "name", False),
    ),
    "log": ((1, "level", "u8", False), (2, "message", "text", True), (3, "fields", "object", False)),
}
#: The fields inside one credential.
CREDENTIAL_FIELDS = ((1, "name", "name", True), (2, "value", "bytes", True))

LOG_LEVELS = {"debug": 1, "info": 2, "warning": 3, "error": 4}

#: state -> milliseconds that the peer who speaks next may take; None where nobody is awaited.
STATES: "dict[str, int | None]" = {
    "created": 10_000,
    "greeted": None,
    "welcomed": None,
    "initializing": 10_000,
    "initialized": None,
    "starting": 30_000,
    "running": None,
    "stopping": 10_000,
    "stopped": None,
    "disposing": 5_000,
    "disposed": None,
    "failed": None,
}
FINAL = frozenset({"disposed", "failed"})

#: (state, kind) -> next state. `error` stands here for one on stream 0.
MOVES = {
    ("created", "hello"): "greeted",
    ("greeted", "welcome"): "welcomed",
    ("welcomed", "initialize"): "initializing",
    ("initializing", "initialized"): "initialized",
    ("initializing", "error"): "failed",
    ("initialized", "start"): "starting",
    ("starting", "started"): "running",
    ("starting", "error"): "failed",
    ("running", "stop"): "stopping",
    ("stopping", "stopped"): "stopped",
    ("stopped", "start"): "starting",
    ("welcomed", "dispose"): "disposing",
    ("initialized", "dispose"): "disposing",
    ("stopped", "dispose"): "disposing",
    ("disposing", "disposed"): "disposed",
}

_SERVING = frozenset({"running", "stopping"})
_CLOSING = _SERVING | {"stopped"}
_ALIVE = frozenset(STATES) - FINAL - {"created"}

#: kind -> states in which it may travel without changing any. `error` stands here for one on a stream.
TRAFFIC: "dict[str, frozenset[str]]" = {
    "call": frozenset({"running"}),
    "hostCall": _SERVING,
    "progress": _SERVING,
    "data": _SERVING,
    "result": _CLOSING,
    "error": _CLOSING,
    "cancelled": _CLOSING,
    "cancel": _CLOSING,
    "credit": _CLOSING,
    "tools": frozenset({"starting", "running"}),
    "log": _ALIVE,
    "ping": _ALIVE,
    "pong": _ALIVE,
}

#: code -> (retryable, ends the session). Codes are open: a plugin names its own `plugin-name.what`.
ERRORS = {
    "frame-too-large": (False, True),
    "malformed-frame": (False, True),
    "unknown-kind": (False, True),
    "unknown-critical-field": (False, True),
    "missing-field": (False, True),
    "no-common-version": (False, True),
    "unexpected-message": (False, True),
    "unknown-stream": (False, True),
    "flow-control": (False, True),
    "deadline-exceeded": (True, False),
    "cancelled": (False, False),
    "permission-denied": (False, False),
    "credential-missing": (False, False),
    "unauthenticated": (False, False),
    "unknown-tool": (False, False),
    "invalid-arguments": (False, False),
    "unavailable": (True, False),
    "plugin-failed": (False, False),
    "internal-error": (False, False),
}
