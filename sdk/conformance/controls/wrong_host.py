#!/usr/bin/env python3
"""A host for the conformance kit to judge: `wrong_host.py MODE PLUGIN_DIR...`, a driver after HOSTS.md.

The mode `right` keeps every rule that the kit can see. Each other mode breaks one; hosts.json says which and by what
check the kit must notice. There is no jail here: never give it a plugin that you do not trust.
"""
import base64, json, os, select, signal, socket, struct, subprocess, sys, threading, time

from host_frames import *


class Session:
    """One process of the plugin. Everything happens under one lock."""

    def __init__(self, directory, manifest, secrets):
        self.manifest, self.secrets, self.lock = manifest, secrets, threading.RLock()
        self.state, self.cause, self.late, self.log = None, None, 0, []
        self.calls, self.next_stream, self.host_stream, self.host_calls = {}, 1, 0, 0
        self.changed = threading.Condition(self.lock)
        ours, theirs = socket.socketpair()
        self.socket, self.buffer = ours, bytearray()
        runtime = manifest["runtime"]
        environment = dict(secrets) if MODE == "leaks-into-environment" else {}
        self.extra = os.open("/dev/null", os.O_RDONLY)
        kept = [7] if MODE == "leaves-descriptors" else []

        def prepare():
            os.setsid()
            os.dup2(theirs.fileno(), 3)
            for descriptor in kept:
                os.dup2(self.extra, descriptor)
            os.chdir("/tmp")
        wait = subprocess.PIPE if MODE == "leaves-input-open" else subprocess.DEVNULL
        # Numbers that are passed on survive the dup2 of `prepare` only where they are named here.
        self.process = subprocess.Popen(
            [manifest["name"]] + runtime.get("arguments", []) + (["--extra"] if MODE == "adds-an-argument" else []),
            executable=os.path.join(directory, runtime["executable"]), env=environment, preexec_fn=prepare,
            pass_fds=[3] + kept, stdin=wait, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        theirs.close()
        os.close(self.extra)
        threading.Thread(target=self.capture, daemon=True).start()
        threading.Thread(target=self.read, daemon=True).start()
        threading.Thread(target=self.await_exit, daemon=True).start()

    # MARK: the lifecycle

    def start(self):
        self.await_state("greeted", 600 if MODE == "no-hello-deadline" else 10)
        low, high = self.versions
        if not 1 <= low <= high:
            self.refuse(Refused("malformed-frame", f"the version range {low}–{high} is empty"))
        elif not low <= 1 <= high and MODE != "ignores-versions":
            words = "no version fits" if MODE == "silent-about-versions" else (
                f"the host speaks ABI 1, the plugin ABI {low}–{high}; update the {'host' if low > 1 else 'plugin'}")
            self.refuse(Refused("no-common-version", words))
        limit = 1000 if MODE == "offers-a-tiny-body" else BODY
        self.step(WELCOME, field(1, struct.pack("<I", 1)) + field(2, b"control#1") + field(3, struct.pack("<I", limit)),
                  "welcomed")
        configuration = json.dumps(self.secrets).encode() if MODE == "leaks-into-initialize" else b"{}"
        if MODE == "skips-initialize":
            self.state = "initialized"
        else:
            self.step(INITIALIZE, field(1, configuration), "initializing")
            self.await_state("initialized", 600 if MODE == "no-initialize-deadline" else 10)
        self.step(START, b"", "starting")
        self.await_state("running", 30)

    def stop(self):
        with self.lock:
            if self.state != "running":
                return
            if MODE == "kills-at-stop":
                return self.end("stopped by its host", "stopped")
        drain = 10000 if MODE != "stops-with-a-past-deadline" else -5000
        self.step(STOP, field(1, struct.pack("<Q", now() + drain)), "stopping")
        try:
            self.await_state("stopped", 10)
            if MODE != "forgets-dispose":
                self.step(DISPOSE, b"", "disposing")
                self.await_state("disposed", 5)
        except Refused:
            return
        self.end("stopped", "stopped")

    def step(self, kind, body, state):
        with self.lock:
            if self.state == "failed":
                raise Refused("plugin-failed", self.cause)
            self.send(kind, 0, body)
            self.state = state
            self.changed.notify_all()

    def await_state(self, state, seconds):
        with self.lock:
            self.changed.wait_for(lambda: self.state in (state, "failed"), seconds)
            if self.state == "failed":
                raise Refused("plugin-failed", self.cause)
            if self.state != state:
                self.end(f"the plugin was not {state} within {seconds} s", "failed")
                raise Refused("deadline-exceeded", self.cause)

    def refuse(self, refusal):
        with self.lock:
            self.send(ABORT, 0, field(1, refusal.code.encode()) + field(2, str(refusal).encode()[:500]))
            time.sleep(0.05)  # so that the plugin may read it
            self.end(f"the plugin broke the protocol: {refusal}", "failed")
        raise refusal

    def end(self, cause, state):
        """Ends the session, answers who waits, and kills."""
        with self.lock:
            if self.state in ("failed", "ended"):
                return
            self.state, self.cause = ("failed", cause) if state == "failed" else ("ended", None)
            if MODE != "leaves-the-process":
                group = self.process.pid
                try:
                    os.kill(group, signal.SIGKILL) if MODE == "leaves-children" else os.killpg(group, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                self.socket.close() if MODE != "leaves-children" else None
            calls, self.calls = list(self.calls.values()), {}
            if MODE != "forgets-callers":
                for call in calls:
                    call.answer({"error": {"code": "plugin-failed", "message": self.hide(cause), "retryable": True}})
            self.changed.notify_all()

    # MARK: in

    def capture(self):
        for line in self.process.stdout:
            self.add_line(line.decode("utf-8", "replace").rstrip("\n"))

    def add_line(self, line):
        with self.lock:
            self.log.append(self.hide(line))
            if MODE != "keeps-every-line":
                del self.log[:-200]

    def read(self):
        try:
            while True:
                chunk = self.socket.recv(65536)
                if not chunk:
                    break
                with self.lock:
                    if MODE == "expects-whole-frames":
                        self.buffer.clear()
                    self.buffer += chunk
                    while self.take():
                        pass
        except Refused:
            return
        except OSError:
            pass
        if self.state != "disposed":
            time.sleep(0.1)  # the exit says more than the end of the stream
            self.end("the plugin closed its connection", "failed")

    def await_exit(self):
        status = self.process.wait()
        time.sleep(0.05)  # what it said last is still to be read
        if self.state != "disposed":
            self.end(f"the plugin ended with status {status}", "failed")

    def take(self):
        if len(self.buffer) < 16 or self.state in ("failed", "ended"):
            return False
        length, kind, flags, reserved, stream = struct.unpack("<IBBHQ", self.buffer[:16])
        limit = BODY if self.state not in (None, "greeted") or MODE == "no-handshake-limit" else HANDSHAKE
        waits = MODE == "waits-for-the-body" and len(self.buffer) < 16 + length
        if waits:
            return False
        try:
            if length > limit:
                raise Refused("frame-too-large", f"a body of {length} bytes; the limit is {limit}")
            if kind not in KINDS:
                raise Refused("unknown-kind", f"kind {kind}")
            if (flags and MODE != "accepts-flags") or (reserved and MODE != "accepts-reserved"):
                raise Refused("malformed-frame", "flags and reserved must be 0")
            if len(self.buffer) < 16 + length:
                return False
            body = bytes(self.buffer[16:16 + length])
            del self.buffer[:16 + length]
            self.judge(kind, stream)
            self.handle(kind, stream, fields_of(kind, body) if kind in FIELDS else {})
        except Refused as refusal:
            self.refuse(refusal)
        return True

    def judge(self, kind, stream):
        wrong = kind not in FIELDS or (kind == TOOLS and MODE != "accepts-tools")
        step = STEPS.get((self.state, kind))
        if kind in (HELLO, INITIALIZED, STARTED, STOPPED, DISPOSED):
            wrong = (not step and MODE != "accepts-any-step") or stream != 0
        if self.state is None and kind not in (HELLO, ABORT):
            wrong = True
        if kind in (RESULT, CANCELLED, PROGRESS, DATA) and stream == 0:
            wrong = True
        if kind in (HOST_CALL, PROGRESS, DATA) and self.state not in ("running", "stopping"):
            wrong = MODE != "serves-too-early"
        if wrong:
            raise Refused("unexpected-message", f"kind {kind} on stream {stream} while {self.state}")

    def handle(self, kind, stream, fields):
        if kind == HELLO:
            self.versions = (fields[1], fields[2])
        if (self.state, kind) in STEPS:
            self.state = STEPS[self.state, kind]
            self.changed.notify_all()
        elif kind == ABORT or (kind == ERROR and stream == 0):
            self.end(f"the plugin said {fields[1]}: {self.hide(fields[2])}", "failed")
        elif kind == PING and MODE != "never-pongs":
            self.send(PONG, 0, field(1, struct.pack("<Q", fields[1] + (MODE == "pongs-another-nonce"))))
        elif kind in (RESULT, ERROR, CANCELLED):
            self.finish(kind, stream, fields)
        elif kind == DATA:
            if not 1 <= len(fields[1]) <= FIRST_CREDIT and MODE != "takes-any-data":
                raise Refused("malformed-frame", f"data of {len(fields[1])} bytes")
            self.receive_data(stream, fields[1])
        elif kind == PROGRESS and stream not in self.calls:
            self.count_late(stream)
        elif kind == HOST_CALL:
            self.open_host_call(stream, fields)
        elif kind == LOG:
            self.add_line(fields[2])

    def count_late(self, stream):
        if stream % 2 == 1 and stream < self.next_stream:
            self.late += 1
            if MODE == "ends-on-late-frames":
                raise Refused("unexpected-message", f"stream {stream} has ended")
        elif MODE != "accepts-unknown-streams":
            raise Refused("unknown-stream", f"stream {stream} was never opened")

    def finish(self, kind, stream, fields):
        call = self.calls.pop(stream, None)
        if not call:
            return self.count_late(stream)
        if kind == RESULT:
            text = self.hide(fields[1].decode("utf-8", "replace"))
            if MODE == "re-encodes-results":
                text = json.dumps(json.loads(text))
            payload = b"" if MODE == "drops-data" else bytes(call.data) + fields.get(2, b"")
            call.answer({"result": text, "bytes": base64.b64encode(payload).decode()})
        elif kind == ERROR:
            call.answer({"error": {"code": fields[1], "message": self.hide(fields[2]),
                                   "retryable": fields.get(3) == 1}})
        else:
            call.answer({"error": {"code": "cancelled", "message": "the plugin cancelled", "retryable": False}})

    def receive_data(self, stream, data):
        call = self.calls.get(stream)
        if not call:
            return self.count_late(stream)
        if len(data) > call.credit and MODE != "ignores-credit":
            raise Refused("flow-control", f"{len(data)} bytes with a credit of {call.credit}")
        call.data += data
        if MODE not in ("never-credits", "ignores-credit"):
            extra = (64 << 20) if MODE == "credits-too-much" else len(data)
            call.credit += extra - len(data)
            self.send(CREDIT, stream, field(1, struct.pack("<I", extra)))
        else:
            call.credit -= len(data)

    def open_host_call(self, stream, fields):
        if (stream % 2 or stream <= self.host_stream) and MODE != "accepts-any-host-stream":
            raise Refused("unknown-stream", f"a host call on stream {stream}")
        self.host_stream = stream
        declared = self.manifest.get("permissions", {})
        code = "unavailable"
        if fields[1] not in declared and MODE != "offers-every-service":
            code = "permission-denied"
        if fields[2] not in self.calls and MODE != "ignores-the-parent":
            code = "permission-denied"
        if code == "unavailable" and fields[1] not in declared or (MODE == "ignores-the-parent"):
            return self.send(RESULT, stream, field(1, b'{"status":200}'))
        if self.host_calls >= 32 and MODE != "no-host-call-limit":
            code = "unavailable"
        elif code == "unavailable" or fields[1] in declared:
            self.host_calls += 1
            threading.Timer(1.0, self.answer_host_call, [stream, code]).start()
            return
        self.send(ERROR, stream, field(1, code.encode()) + field(2, b"this control offers nothing"))

    def answer_host_call(self, stream, code):
        with self.lock:
            self.host_calls -= 1
            self.send(ERROR, stream, field(1, code.encode()) + field(2, b"this control reaches nothing"))

    # MARK: out

    def send(self, kind, stream, body):
        frame = struct.pack("<IBBHQ", len(body), kind, 0, 0, stream) + body
        try:
            self.socket.sendall(frame)
        except OSError:
            pass

    def hide(self, text):
        for value in self.secrets.values():
            if MODE != "never-redacts":
                text = text.replace(value, "[redacted]")
        return text

    def call(self, request, answer):
        with self.lock:
            if self.state != "running":
                return answer({"error": {"code": "plugin-failed", "message": self.cause or "not running",
                                         "retryable": True}})
            stream = self.next_stream
            self.next_stream += {"reuses-streams": 0, "opens-even-streams": 1}.get(MODE, 2)
            call = self.calls[stream] = Call(stream, request, answer)
            arguments = request["arguments"]
            if MODE == "re-encodes-arguments":
                arguments = json.dumps(json.loads(arguments))
            limit = request.get("deadlineMilliseconds", 60000)
            deadline = limit if MODE == "relative-deadline" else now() + limit
            tool = next(t for t in self.manifest["tools"] if t["name"] == request["tool"])
            names = list(self.secrets) if MODE == "lends-everything" else tool.get("credentials", [])
            body = field(1, request["tool"].encode()) + field(2, arguments.encode())
            body += field(3, struct.pack("<Q", deadline)) + field(4, b"r-%d" % stream)
            for name in names:
                inner = field(1, name.encode()) + field(2, self.secrets[name].encode())
                body += field(0x8001, inner)
            self.send(CALL, stream, body)
        threading.Timer(limit / 1000, self.give_up, [call, "deadline-exceeded"]).start()
        if "cancelAfterMilliseconds" in request:
            threading.Timer(request["cancelAfterMilliseconds"] / 1000, self.give_up, [call, "cancelled"]).start()

    def give_up(self, call, code):
        with self.lock:
            if self.calls.get(call.stream) is not call:
                return
            if MODE == "waits-past-the-deadline" and code == "deadline-exceeded":
                return
            del self.calls[call.stream]
            if not (MODE == "no-cancel-at-the-deadline" and code == "deadline-exceeded"
                    or MODE == "no-cancel-for-the-caller" and code == "cancelled"):
                self.send(CANCEL, call.stream, field(1, code.encode()))
            call.answer({"error": {"code": code, "message": "given up", "retryable": code != "cancelled"}})


class Driver:
    def __init__(self, directories):
        self.plugins, self.sessions, self.lock, self.starting = {}, {}, threading.Lock(), {}
        for directory in directories:
            with open(os.path.join(directory, "plugin.json")) as file:
                manifest = json.load(file)
            self.plugins[manifest["name"]] = (directory, manifest)
            self.starting[manifest["name"]] = threading.Lock()

    def say(self, answer):
        with self.lock:
            print(json.dumps(answer), flush=True)

    def session(self, name, secrets):
        with self.starting[name]:
            session = self.sessions.get(name)
            if session is None or session.state in ("failed", "ended"):
                session = self.sessions[name] = Session(*self.plugins[name], secrets)
                session.start()
            return session

    def serve(self, request):
        name, number = request["plugin"], request["id"]
        answer = lambda more: self.say({"id": number, **more})
        try:
            if request["do"] == "start":
                self.session(name, request.get("credentials", {}))
                answer({"ok": True})
            elif request["do"] == "call":
                self.session(name, request.get("credentials", {})).call(request, answer)
            elif request["do"] == "state":
                session = self.sessions.get(name)
                state = {None: "starting", "ended": "stopped"}.get(*[session.state if session else "ended"] * 2)
                answer({"state": state, "cause": session and session.cause, "late": session.late if session else 0,
                        "log": list(session.log) if session else []})
            elif request["do"] == "stop":
                if name in self.sessions:
                    self.sessions[name].stop()
                answer({"ok": True})
        except Refused as refusal:
            answer({"error": {"code": "plugin-failed", "message": str(refusal), "retryable": False}})

    def run(self):
        self.say({"driver": 1, "host": f"control {MODE}", "can": "cancel deadline credentials bytes log late".split()})
        for line in sys.stdin:
            threading.Thread(target=self.serve, args=[json.loads(line)], daemon=True).start()
        for session in self.sessions.values():
            if session.process.poll() is None or MODE == "leaves-children":
                kill_group(session.process.pid)
        os._exit(0)


if __name__ == "__main__":
    # The plugin's 3 and 7 are made in its own process: here the numbers are only kept from other use.
    for reserved in (3, 7):
        os.dup2(os.open("/dev/null", os.O_RDONLY), reserved)
    Driver(sys.argv[2:]).run()
