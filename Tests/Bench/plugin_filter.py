"""What the filter costs crypto-bot in a call: the same program with and without it, in turns, in one run.

Both processes live at once, outside of a jail, and differ in the filter alone. The call is crypto_price; its one
request to the exchange is answered here, at once, so that nothing but the plugin's own work is in it. What is compared
is the processor time that the kernel counts for the plugin (proc_pid_schedstat), which other load of the machine
disturbs less than a clock does.
"""
import json
import os
import socket
import statistics
import struct
import subprocess
import time

CALLS, BLOCKS = 300, 21
HELLO, WELCOME, INITIALIZE, INITIALIZED, START, STARTED, CALL, RESULT, HOST_CALL = 1, 2, 16, 17, 18, 19, 32, 33, 48
ANSWER = b'{"symbol":"BTCUSDT","price":"60000.00"}'


def field(tag, value):
    return struct.pack("<HI", tag, len(value)) + value


def frame(kind, body=b"", stream=0):
    return struct.pack("<IBBHQ", len(body), kind, 0, 0, stream) + body


class Plugin:
    def __init__(self, words):
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(60)
        # A shell puts the socket on 3, with no other way for it to get there.
        line = f'exec "$@" 3<&{theirs.fileno()}'
        self.process = subprocess.Popen(["/bin/bash", "-c", line, "bench", *words], pass_fds=[theirs.fileno()],
                                        stdout=subprocess.DEVNULL)
        theirs.close()
        self.stream = 1
        self.expect(HELLO)
        welcome = field(1, struct.pack("<I", 1)) + field(2, b"bench-1") + field(3, struct.pack("<I", 4 << 20))
        self.socket.sendall(frame(WELCOME, welcome) + frame(INITIALIZE, field(1, b"{}")))
        self.expect(INITIALIZED)
        self.socket.sendall(frame(START))
        self.expect(STARTED)

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise SystemExit("bench: crypto-bot hung up")
            data += more
        return data

    def expect(self, kind):
        length, found, _, _, stream = struct.unpack("<IBBHQ", self.exactly(16))
        body = self.exactly(length)
        if found != kind:
            raise SystemExit(f"bench: crypto-bot sent kind {found} instead of {kind}: {body[:200]}")
        return stream

    def call(self):
        deadline = struct.pack("<Q", int(time.time() + 60) * 1000)
        body = field(1, b"crypto_price") + field(2, b'{"symbol":"BTCUSDT"}') + field(3, deadline) + field(4, b"bench")
        self.socket.sendall(frame(CALL, body, self.stream))
        self.stream += 2
        request = self.expect(HOST_CALL)
        reply = field(1, b'{"status":200,"headers":{"content-type":"application/json"}}') + field(2, ANSWER)
        self.socket.sendall(frame(RESULT, reply, request))
        self.expect(RESULT)

    def worked(self):
        """Nanoseconds on a processor, of all threads."""
        place = f"/proc/{self.process.pid}/task"
        return sum(int(open(f"{place}/{thread}/schedstat").read().split()[0]) for thread in os.listdir(place))

    def block(self):
        before, start = self.worked(), time.monotonic_ns()
        for _ in range(CALLS):
            self.call()
        return (self.worked() - before) / CALLS, (time.monotonic_ns() - start) / CALLS

    def close(self):
        self.socket.close()
        self.process.kill()
        self.process.wait()


def measure(under_filter, program, filter_file):
    arms = {"filtered": Plugin([under_filter, filter_file, program]), "bare": Plugin([under_filter, "-", program])}
    try:
        for arm in arms.values():
            arm.block()
        samples = {name: [] for name in arms}
        for _ in range(BLOCKS):
            for name, arm in arms.items():
                samples[name].append(arm.block())
    finally:
        for arm in arms.values():
            arm.close()
    # Neighbours in time are compared, so that what changes slowly cancels out.
    shares = [filtered[0] / bare[0] for filtered, bare in zip(samples["filtered"], samples["bare"])]
    median = {name: [statistics.median(part) for part in zip(*values)] for name, values in samples.items()}
    return {
        "calls": CALLS * BLOCKS,
        "bare_us": round(median["bare"][0] / 1000, 2),
        "filtered_us": round(median["filtered"][0] / 1000, 2),
        "adds_percent": round((statistics.median(shares) - 1) * 100, 2),
        "quartiles_percent": [round((share - 1) * 100, 2) for share in statistics.quantiles(shares, n=4)],
        "call_us": {name: round(values[1] / 1000, 1) for name, values in median.items()},
    }


def show(row):
    print(f"\ncrypto-bot's crypto_price, its own processor time: {row['bare_us']} µs a call, {row['filtered_us']} µs "
          f"under its filter: {row['adds_percent']:+} % (quartiles {row['quartiles_percent'][0]:+} to "
          f"{row['quartiles_percent'][2]:+} %; {row['calls']} calls each)")


if __name__ == "__main__":
    import sys
    print(json.dumps(measure(*sys.argv[1:4])))
