"""The controls' end of the socket, and how they write to it."""
import os
import socket
import struct
import threading

from strict_reader import DATA, RESULT, field, wrong

channel = socket.socket(fileno=3)
lock = threading.RLock()
changed = threading.Condition(lock)
state = {"now": "created", "limit": 4096, "starts": 0}


def stays():
    """Whether the plugin goes on when the host has hung up."""
    now = state["now"]
    return (wrong("stays-after-end-of-file")
            or wrong("stays-after-end-of-file-while-stopping") and now == "stopping"
            or wrong("stays-after-end-of-file-once-stopped") and now == "stopped")


def send(kind, stream=0, *fields):
    if kind == RESULT and wrong("sends-a-critical-field"):
        fields += ((0x8777, b"new"),)
    if kind == RESULT and wrong("sends-a-field-twice"):
        fields += fields
    if kind == DATA and wrong("sends-data-without-bytes"):
        fields = ((1, b""),)
    body = b"".join(field(tag, value) for tag, value in fields)
    flags = kind == RESULT and wrong("sends-flags")
    frame = struct.pack("<IBBHQ", len(body), kind, flags, 0, stream) + body
    if wrong("adds-a-newline"):
        frame += b"\n"
    with lock:
        try:
            if wrong("writes-frames-to-stdout"):
                os.write(1, frame)
            else:
                channel.sendall(frame)
        except OSError:
            if not stays() and not wrong("stays-after-end-of-file-while-stopping"):
                os._exit(0)


def leave(status=0):
    if wrong("leaves-with-status-1"):
        status = 1
    os._exit(status)
