#!/usr/bin/env python3
"""A plugin that is right (mode `right`), or wrong in exactly one way (every other mode, see controls.json).

The conformance kit must find nothing in the first and the one thing in each of the others. Standard library only, no
SDK: what the kit says of it owes nothing to the code that authors use. MODE is the first argument; what is wrong about
reading is in strict_reader.py beside it, what is wrong about writing in link.py.
"""
import json
import os
import signal
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from link import *  # noqa: E402,F403 (channel, lock, changed, state, send, leave, stays)
from strict_reader import *  # noqa: E402,F403 (kinds, wrong, Refused, message, header)

calls = {}  # open streams -> Call
host_calls = {}  # open streams -> what was answered, or None
last_call = [0]
last_host_call = [0]
highest_host_call = [0]


def refuse(code, text):
    if wrong("is-silent-when-it-refuses"):
        leave(1)
    send(ABORT, 0, (1, code.encode()), (2, text.encode()))
    if wrong("stays-after-abort"):
        time.sleep(60)
    leave(1)


class Call:
    def __init__(self, stream, said):
        self.stream, self.said, self.credit, self.cancelled = stream, said, 262144, False

    def end(self, kind, *fields):
        with lock:
            if calls.pop(self.stream, None) is None:
                return
            stream = self.stream + (2 if wrong("answers-on-another-stream") and self.stream > 1 else 0)
            send(kind, stream, *fields)
            if wrong("answers-twice"):
                send(kind, stream, *fields)
            if wrong("tells-progress-after-the-end"):
                send(PROGRESS, self.stream, (1, bytes(8)))
            settle()

    def result(self, value, *more):
        text = b"this is no JSON" if wrong("writes-no-json") else json.dumps(value).encode()
        self.end(RESULT, (1, text), *more)

    def error(self, code, text, retryable=False):
        if wrong("has-no-words-for-errors"):
            text = ""
        self.end(ERROR, (1, code.encode()), (2, text.encode()), (3, bytes([retryable])))

    def wait(self, ready, seconds):
        """Until `ready()`; False if the call was cancelled first or the time is over."""
        until = time.monotonic() + seconds
        with changed:
            while not ready():
                left = until - time.monotonic()
                if self.cancelled or left <= 0:
                    return False
                changed.wait(left)
        return True

    def data(self, data):
        with changed:
            if not wrong("ignores-its-credit"):
                deaf = wrong("hears-no-cancel-while-it-waits")
                while self.credit < len(data):
                    if self.cancelled and not deaf:
                        return False
                    if self.credit > 0:
                        part, data = data[:self.credit], data[self.credit:]
                        self.credit -= len(part)
                        send(DATA, self.stream, (1, part))
                        continue
                    changed.wait(60)
            self.credit -= len(data)
            if data:
                send(DATA, self.stream, (1, data))
        return not self.cancelled


def log(text, stream=0, level=2):
    send(LOG, stream, (1, bytes([level])), (2, text.encode()))


def settle():
    """Once every call has ended, a stop is over."""
    if state["now"] == "stopping" and not calls:
        state["now"] = "stopped"
        send(STOPPED)


def echo(call, arguments):
    if wrong("leaves-on-wrong-arguments") and not isinstance(arguments.get("text"), str):
        leave(3)
    if not isinstance(arguments.get("text"), str) or set(arguments) != {"text"}:
        return call.error("invalid-arguments", "text is a string; give it and nothing else")
    if wrong("breaks-its-output-schema"):
        return call.result({"text": 7})
    if wrong("sends-undeclared-bytes"):
        return call.result(arguments, (2, b"some bytes"))
    call.result(arguments)


def slow(call, arguments):
    call.wait(lambda: False, arguments.get("seconds", 30))
    if call.cancelled:
        if wrong("answers-again-after-a-second"):
            threading.Timer(1, send, (RESULT, call.stream, (1, b"{}"))).start()
        return call.end(CANCELLED, (1, b"as asked"))
    call.result({})


def stream(call, arguments):
    total, chunk = arguments.get("bytes", 600000), arguments.get("chunk", 65536)
    if not wrong("ignores-the-body-limit"):
        chunk = min(chunk, state["limit"] - 64)
    sent = 0
    while sent < total:
        size = min(chunk, total - sent)
        if not call.data(b"x" * size):
            return call.end(CANCELLED)
        sent += size
        send(PROGRESS, call.stream, (1, struct.pack("<Q", sent)), (2, struct.pack("<Q", total)))
    call.result({"sent": sent})


def secret(call, arguments):
    key = call.said["credentials"].get("key")
    if key is None:
        if wrong("leaves-without-its-credential"):
            leave(3)
        return call.error("credential-missing", "store the credential key for this plugin")
    if wrong("leaks-in-a-log"):
        log("using " + key.decode(), call.stream)
    if wrong("leaks-on-stderr"):
        print("using", key.decode(), file=sys.stderr, flush=True)
    if wrong("leaks-on-stdout"):
        print("using", key.decode(), flush=True)
    if arguments:
        text = "no arguments are taken"
        return call.error("invalid-arguments", f"{key.hex()}: {text}" if wrong("leaks-in-an-error") else text)
    if wrong("leaks-in-escapes"):
        return call.end(RESULT, (1, b'{"key":"%s"}' % b"".join(b"\\u%04x" % byte for byte in key)))
    call.result({"length": len(key), **({"key": key.decode()} if wrong("leaks-in-a-result") else {})})


def fetch(call, arguments):
    with lock:
        last_host_call[0] += 2
        number = last_host_call[0]
        if wrong("opens-host-calls-in-falling-order"):
            number = 1000 - number
        highest_host_call[0] = max(highest_host_call[0], number)
        host_calls[number] = None
        parent = 0 if wrong("asks-for-no-call") else call.stream
        request = {"endpoint": "e", "method": "GET", "path": "/"}
        send(HOST_CALL, number, (1, b"http.fetch"), (2, struct.pack("<Q", parent)), (3, json.dumps(request).encode()))
    hears = not wrong("hears-no-cancel-while-it-fetches")
    answered = call.wait(lambda: host_calls[number] is not None, 30)
    while not answered and not hears:
        time.sleep(1)
    answer = host_calls.pop(number)
    if not answered:
        send(CANCEL, number)
        return call.end(CANCELLED)
    if wrong("leaves-when-denied") and answer[0] == ERROR:
        leave(3)
    if wrong("hangs-when-denied") and answer[0] == ERROR:
        time.sleep(60)
    if answer[0] != RESULT:
        return call.error("unavailable", "the host gave no answer", retryable=True)
    call.result({"status": answer[1]["json"].get("status", 0)})


def say(call, arguments):
    log("" if wrong("logs-without-words") else "said", call.stream)
    call.result({})


SERVED = {"echo": echo, "slow": slow, "stream": stream, "secret": secret, "fetch": fetch, "say": say}
if wrong("does-not-serve-a-declared-tool"):
    del SERVED["say"]


def serve(call):
    try:
        SERVED[call.said["tool"]](call, call.said["arguments"])
    except Exception as error:  # what a tool throws becomes an error
        call.error("plugin-failed", str(error) or type(error).__name__)


def on_call(number, said):
    if number <= last_call[0] and not wrong("takes-stale-stream-numbers"):
        raise Refused("unknown-stream", f"stream {number} does not rise")
    last_call[0] = max(number, last_call[0])
    call = calls[number] = Call(number, said)
    if said["tool"] not in SERVED:
        if wrong("leaves-on-an-unknown-tool"):
            leave(3)
        if wrong("calls-unknown-tools-invalid"):
            return call.error("invalid-arguments", "no such tool")
        return call.error("unknown-tool", "see plugin.json for the tools")
    if wrong("forgets-calls-after-a-second-start") and state["starts"] > 1:
        return
    if wrong("never-answers") and said["tool"] == "echo":
        return
    if wrong("forgets-its-twelfth-call") and number == 23:
        return
    if wrong("refuses-trace-contexts") and "traceparent" in said:
        leave(3)
    if wrong("sends-tools"):
        send(TOOLS, 0, (1, b'{"tools":[]}'))
    if wrong("blocks-its-loop"):
        return serve(call)
    threading.Thread(target=serve, args=(call,), daemon=True).start()


def on_stream(kind, number, said):
    if number % 2 == 0:
        if number not in host_calls:
            if number > highest_host_call[0] and not wrong("drops-frames-of-unknown-streams"):
                raise Refused("unknown-stream", f"stream {number} was never opened")
        elif host_calls[number] is None:
            host_calls[number] = (kind, said)
        changed.notify_all()
        return
    call = calls.get(number)
    if call is None:
        if number > last_call[0] and not wrong("drops-frames-of-unknown-streams"):
            raise Refused("unknown-stream", f"stream {number} was never opened")
        if wrong("refuses-late-frames"):
            raise Refused("unknown-stream", f"stream {number} has ended")
        return
    if kind == CREDIT:
        if not wrong("forgets-to-count-credit"):
            call.credit += said["bytes"]
        if call.credit > 1 << 24 and not wrong("takes-any-credit"):
            raise Refused("flow-control", "too much credit")
    else:
        if wrong("ignores-cancel") and call.said["tool"] == "slow":
            return
        if call.cancelled and wrong("leaves-on-a-second-cancel"):
            leave(3)
        call.cancelled = True
        if wrong("leaves-on-a-second-cancel"):
            return threading.Timer(0.05, wake).start()
    changed.notify_all()


def wake():
    with changed:
        changed.notify_all()


def take(kind, number, body):
    if not belongs(kind, number):
        if wrong("takes-misplaced-frames"):
            return
        raise Refused("unexpected-message", f"kind {kind} does not belong on stream {number}")
    if not allowed(kind, state["now"]):
        if wrong("takes-frames-in-any-state"):
            return
        raise Refused("unexpected-message", f"kind {kind} while {state['now']}")
    said = message(kind, body)
    if kind == PING:
        return on_ping(said["nonce"])
    if kind == ABORT:
        return None if wrong("goes-on-after-the-hosts-abort") else leave(1)
    if kind == CALL:
        return on_call(number, said)
    if number:
        return on_stream(kind, number, said)
    if kind != PONG:
        move(kind, said)


def on_ping(nonce):
    if wrong("answers-no-ping-before-welcome") and state["now"] == "greeted":
        return
    if wrong("answers-pings-with-its-own-nonce"):
        nonce = nonce ^ 1
    if wrong("answers-no-ping-while-stopping") and state["now"] == "stopping":
        return
    if wrong("answers-pings-twice"):
        send(PONG, 0, (1, struct.pack("<Q", nonce)))
    send(PONG, 0, (1, struct.pack("<Q", nonce)))


def move(kind, said):
    before = state["now"]
    if kind == WELCOME and said["version"] != 1 and not wrong("takes-any-version"):
        raise Refused("no-common-version", f"the host chose version {said['version']}, this plugin speaks 1")
    if kind == DISPOSE and before != "stopped" and wrong("cannot-be-disposed-of-early"):
        return
    if kind == START and before == "stopped" and wrong("cannot-start-twice"):
        return
    state["now"] = MOVES[before, kind]
    if kind == WELCOME:
        state["limit"] = said["limit"]
    elif kind == INITIALIZE:
        send(INITIALIZED)
    elif kind == START:
        state["starts"] += 1
        log("ready")
        send(STARTED)
    elif kind == STOP:
        stop()
    elif kind == DISPOSE:
        send(DISPOSED)
        leave()


def stop():
    if wrong("says-stopped-too-early"):
        state["now"] = "stopped"
        return send(STOPPED)
    if wrong("waits-for-slow-calls-when-stopped"):
        return settle()
    # A plugin that is wrong while it stops has to take its time over it.
    slowly = ("takes-calls-while-stopping", "answers-no-ping-while-stopping", "stays-after-end-of-file-while-stopping")
    threading.Timer(0.5, drain).start() if MODE in slowly else drain()


def drain():
    for call in list(calls.values()):
        call.error("unavailable", "the plugin is stopping", retryable=True)
    settle()


def read_frames():
    buffer = b""
    while True:
        try:
            piece = channel.recv(65536)
        except OSError:
            piece = b""
        if not piece:
            return
        buffer += piece
        while len(buffer) >= 16:
            limit = 4096 if state["now"] in ("created", "greeted") else 1 << 22
            length, kind, number = header(buffer[:16], limit)
            if len(buffer) < 16 + length:
                break
            body, buffer = buffer[16:16 + length], buffer[16 + length:]
            if kind in KINDS:
                with lock:
                    take(kind, number, body)
        if buffer and wrong("takes-a-read-for-a-frame"):
            raise malformed("half a frame")


def hello():
    if wrong("is-silent"):
        return
    if wrong("leaves-at-once"):
        print("no configuration file", file=sys.stderr, flush=True)
        leave(2)
    if wrong("greets-in-words"):
        os.write(3, b"hello, here is a plugin, ready to serve\n")
    low, high = (2, 1) if wrong("offers-an-empty-range") else (1, 1)
    high += wrong("offers-more-than-it-declares")
    send(HELLO, 0, (1, struct.pack("<I", low)), (2, struct.pack("<I", high)), (3, b"control"))
    state["now"] = "greeted"


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL if wrong("dies-of-sigpipe") else signal.SIG_IGN)
    hello()
    try:
        read_frames()
    except Refused as refusal:
        refuse(refusal.code, str(refusal))
    if stays():
        time.sleep(60)
    while calls and wrong("finishes-its-calls-after-end-of-file"):
        time.sleep(1)
    leave()


if __name__ == "__main__":
    main()
