"""A plugin that speaks the ABI by hand: one thread, one call at a time, nothing but the standard library."""
import base64
import json
import os
import socket
import struct
import sys
import time
import urllib.parse

WELCOME, INITIALIZE, START, STOP, DISPOSE, PING, CALL, CANCEL, CREDIT = 2, 16, 18, 20, 22, 24, 32, 36, 39
host = socket.socket(fileno=3)
credit = 0


def field(tag, value):
    return struct.pack("<HI", tag, len(value)) + value


def send(kind, stream=0, *fields):
    body = b"".join(fields)
    host.sendall(struct.pack("<IBBHQ", len(body), kind, 0, 0, stream) + body)


def receive(count):
    data = b""
    while len(data) < count:
        piece = host.recv(count - len(data))
        if not piece:
            sys.exit(1)
        data += piece
    return data


def frame():
    length, kind, _, _, stream = struct.unpack("<IBBHQ", receive(16))
    body, fields, at = receive(length), {}, 0
    while at < length:
        tag, size = struct.unpack_from("<HI", body, at)
        fields[tag] = body[at + 6 : at + 6 + size]
        at += 6 + size
    return kind, stream, fields


def answer(stream, value):
    send(33, stream, field(1, json.dumps(value).encode()))


def look(stream, fields):
    seen = {path: os.path.exists(path) for path in ("/etc", "/home", "/usr/bin/env", "/usr/share", "/plugin.pyz")}
    try:
        open("/plugin.pyz", "ab")
        writable = True
    except OSError:
        writable = False
    trace = [fields.get(tag, b"").decode() for tag in (5, 6)]
    answer(
        stream,
        {"seen": seen, "writable": writable, "arguments": sys.argv[1:], "isolated": sys.flags.isolated, "trace": trace})


def stream_bytes(stream, total, fails):
    global credit
    credit, sent = 262144, 0
    while sent < total:
        size = min(total - sent, credit, 262144)
        while size == 0:
            kind, of, fields = frame()
            if kind == CREDIT and of == stream:
                credit += struct.unpack("<I", fields[1])[0]
                size = min(total - sent, credit, 262144)
            elif kind == CANCEL and of == stream:
                return send(35, stream)
        send(38, stream, field(1, b"x" * size))
        send(37, stream, field(1, struct.pack("<Q", sent + size)), field(2, struct.pack("<Q", total)))
        credit, sent = credit - size, sent + size
    if fails:
        return send(34, stream, field(1, b"plugin-failed"), field(2, b"ValueError: the source ran dry"))
    answer(stream, {"sent": total})


def progress(stream, steps, pause):
    for step in range(1, steps + 1):
        send(37, stream, field(1, struct.pack("<Q", step)), field(2, struct.pack("<Q", steps)), field(3, b"step"))
        # What repeats and what falls must not reach an agent.
        send(37, stream, field(1, struct.pack("<Q", step)))
        send(37, stream, field(1, struct.pack("<Q", 0)))
        time.sleep(pause / 1000)
    answer(stream, {"steps": steps})


def offend(stream, how):
    if how == "stdout":
        print("hello from print", flush=True)
    elif how == "frame-on-stdout":
        os.write(1, struct.pack("<IBBHQ", 8, 33, 0, 0, stream) + field(1, b"{}"))
    elif how == "twice":
        answer(stream, {"n": 1})
    elif how == "blocks":
        time.sleep(12)
    elif how == "schema":
        return answer(stream, {"n": "many"})
    elif how == "bytes":
        send(38, stream, field(1, b"undeclared"))
    elif how == "throws":
        return send(34, stream, field(1, b"plugin-failed"), field(2, b"ValueError: this tool threw"))
    elif how == "forgets":
        return None
    answer(stream, {"n": 1})


FORMS = {
    "plain": lambda value: value,
    "base64": base64.b64encode,
    "base64-after-one": lambda value: base64.b64encode(b"k" + value + b"z"),
    "base64-after-two": lambda value: base64.b64encode(b"k=" + value + b"zz"),
    "base64url": lambda value: base64.urlsafe_b64encode(value).rstrip(b"="),
    "hex": lambda value: value.hex().encode(),
    "HEX": lambda value: value.hex().upper().encode(),
    "url": lambda value: urllib.parse.quote(value, safe="").encode(),
    "json": lambda value: json.dumps(value.decode()).encode(),
}


def leak(stream, value, where, form):
    text = b"it is " + FORMS[form](value) + b" as said"
    if where == "result":
        return answer(stream, {"text": text.decode(), text.decode(): 1})
    if where == "error":
        return send(34, stream, field(1, b"plugin-failed"), field(2, text))
    if where == "data":
        send(38, stream, field(1, text))
    elif where == "pieces":
        for byte in text:
            send(38, stream, field(1, bytes([byte])))
    elif where == "log":
        send(64, stream, field(2, text), field(3, json.dumps({"seen": text.decode()}).encode()))
    elif where == "progress":
        send(37, stream, field(1, struct.pack("<Q", 1)), field(3, text))
    elif where in ("stdout", "stderr", "crash"):
        os.write(1 if where == "stdout" else 2, text + b"\n")
        if where == "crash":
            os.abort()
    answer(stream, {})


def serve(stream, fields):
    tool, arguments = fields[1].decode(), json.loads(fields[2])
    if tool == "py_look":
        look(stream, fields)
    elif tool == "py_stream":
        stream_bytes(stream, arguments.get("bytes", 0), arguments.get("fails", False))
    elif tool == "py_progress":
        progress(stream, arguments.get("steps", 0), arguments.get("ms", 0))
    elif tool == "py_offend":
        offend(stream, arguments["how"])
    elif tool == "py_leak":
        # A credential is itself fields: after its name (tag 1) comes its value (tag 2).
        (size,) = struct.unpack_from("<I", fields[0x8001], 2)
        leak(stream, fields[0x8001][12 + size :], arguments["where"], arguments["form"])
    else:
        answer(stream, arguments)


send(1, 0, field(1, struct.pack("<I", 1)), field(2, struct.pack("<I", 1)), field(3, b"python"))
while True:
    kind, stream, fields = frame()
    if kind in (INITIALIZE, START, STOP):
        send(kind + 1)
    elif kind == PING:
        send(25, 0, field(1, fields[1]))
    elif kind == CALL:
        serve(stream, fields)
    elif kind == DISPOSE:
        send(23)
        sys.exit(0)
