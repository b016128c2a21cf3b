#!/usr/bin/env python3
"""Writes Sources/Conformance/Checks/MalformedVectors.swift: what a host can send that a plugin must refuse.

From sdk/spec/vectors/frames.json come the malformed frames that a host could be the sender of; classes that the
vectors show on a plugin's frame are said once more on a ping or a call. `--check` only compares.
"""
import json, pathlib, struct, sys

HERE = pathlib.Path(__file__).parent
TARGET = HERE / "Sources/Conformance/Checks/MalformedVectors.swift"
# Where a host may send the kind: the state in which a plugin reads its body.
STATES = {2: "greeted", 16: "welcomed", 18: "initialized", 20: "running", 24: "running", 25: "running", 32: "running"}


def rule(vector):
    name, code = vector["name"], vector["error"]
    if vector["at"] == "header":
        return "headers"
    if code == "unknown-critical-field":
        return "criticalFields"
    if name == "two-credentials-of-one-name":
        return "sameName"
    if "twice" in name or "two-values" in name:
        return "repeats"
    if any(word in name for word in ("too-deep", "seventeen", "too-long", "overlong", "too-many")):
        return "limits"
    if name.startswith(("arguments-", "configuration-")):
        return "json"
    return "text" if any(word in name for word in ("utf8", "surrogate")) else "fields"


def field(tag, value):
    return struct.pack("<HI", tag, len(value)) + value


def frame(kind, body, stream=0):
    return struct.pack("<IBBHQ", len(body), kind, 0, 0, stream) + body


def said_again():
    nonce = field(1, bytes(8))
    rest = field(2, b"{}") + field(3, struct.pack("<Q", 4_000_000_000_000)) + field(4, b"r1")
    bad, critical = "malformed-frame", "unknown-critical-field"
    pings = [
        ("field-cut-off-in-its-tag", nonce + b"\x63", bad),
        ("field-cut-off-in-its-length", nonce + b"\x63\x00\x01\x00", bad),
        ("field-cut-off-in-its-value", nonce + b"\x63\x00\x05\x00\x00\x00xx", bad),
        ("field-with-the-largest-length", b"\x01\x00\xff\xff\xff\xffx", bad),
        ("unknown-field-longer-than-the-body", b"\x84\x03\x64\x00\x00\x00" + nonce, bad),
        ("a-short-integer", field(1, bytes(4)), bad),
        ("a-long-integer", field(1, bytes(16)), bad),
        ("a-nonce-twice", nonce + nonce, bad),
        ("one-field-too-many", nonce + field(0x63, b"") * 256, bad),
        ("unknown-critical-field", nonce + field(0x8000, b""), critical),
    ]
    for name, body, code in pings:
        yield {"name": name + "-in-a-ping", "error": code, "at": "body", "hex": frame(24, body).hex()}
    tools = [("an-overlong-tool", b"n" * 129), ("a-tool-that-is-not-utf8", b"\xff\xfe"),
             ("an-overlong-utf8-slash", b"\xc0\xaf"), ("an-encoded-surrogate", b"\xed\xa0\x80")]
    for name, value in tools:
        hexed = frame(32, field(1, value) + rest, 1).hex()
        yield {"name": name, "error": bad, "at": "body", "hex": hexed}
    hexed = frame(18, field(0x8000, b"")).hex()
    yield {"name": "critical-field-where-there-are-none", "error": critical, "at": "body", "hex": hexed}


def entries():
    vectors = json.loads((HERE / "../spec/vectors/frames.json").read_text())["vectors"]
    for vector in [*vectors, *said_again()]:
        if "error" not in vector or vector["error"] == "incomplete":
            continue
        if vector["at"] == "header":
            state = "greeted" if vector.get("bodyLimit", 1 << 22) == 4096 else "welcomed"
        else:
            state = STATES.get(bytes.fromhex(vector["hex"])[4])
        # A long one shows nothing that its class does not show in less.
        if state and (len(vector["hex"]) <= 4096):
            yield f"{rule(vector)} {state} {vector['error']} {vector['name']}", vector["hex"]


def source():
    lines = ["// Made by sdk/conformance/make_vectors.py from sdk/spec/vectors/frames.json. Do not edit.", "",
             "enum MalformedVectors {",
             "    /// Each entry: `= rule state code name`, then its bytes in hexadecimal.",
             '    static let text = """']
    seen = set()
    for head, hexed in entries():
        if hexed in seen:
            continue
        seen.add(hexed)
        lines.append(f"        = {head}")
        lines += [f"        {hexed[start:start + 108]}" for start in range(0, len(hexed), 108)]
    return "\n".join([*lines, '        """', "}", ""])


if __name__ == "__main__":
    text = source()
    if "--check" in sys.argv:
        sys.exit(0 if TARGET.read_text() == text else "MalformedVectors.swift is old: run make_vectors.py")
    TARGET.write_text(text)
