"""Starts and stops one simulator and speaks to it in raw HTTP; used by the other checks. Standard library only."""
import hashlib
import hmac
import http.client
import json
import select
import signal
import ssl
import subprocess
import time
import urllib.parse

# As Binance publishes them in its signature examples (rest-api.md).
KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"


class Simulator:
    """A running simulator; leaving the `with` block ends it and requires that it ended cleanly."""

    def __init__(self, program, *options, plain=True):
        self.command = [program, *(["--plain-http"] if plain else []), *options]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE)
        if not select.select([self.process.stdout], [], [], 30)[0]:
            self.process.kill()
            raise RuntimeError("the simulator did not announce itself within 30 s")
        self.ready = json.loads(self.process.stdout.readline())
        self.url = self.ready["url"]
        self.port = urllib.parse.urlsplit(self.url).port
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise RuntimeError("the simulator outlived SIGTERM by 10 s") from None
        self.process.stdout.close()
        if code != 0:
            raise RuntimeError(f"the simulator ended with {code}")

    def send(self, method, target, body=None, headers=None, context=None):
        """One request on a connection of its own: (status, JSON or text, fields)."""
        if context:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            fields = dict(headers or {})
            if body is not None:
                fields.setdefault("Content-Type", "application/x-www-form-urlencoded")
                fields.setdefault("Content-Length", str(len(body)))
            for name, value in fields.items():
                connection.putheader(name, value)
            connection.endheaders(body.encode() if isinstance(body, str) else body)
            response = connection.getresponse()
            text = response.read().decode()
            try:
                content = json.loads(text)
            except ValueError:
                content = text
            return response.status, content, response.headers
        finally:
            connection.close()

    def signed(self, method, path, query="", body="", key=KEY, secret=SECRET):
        """Signs query and body as they stand and puts the signature where the last parameter is."""
        signature = sign(query + body, secret)
        if body:
            body += "&signature=" + signature
        else:
            query += "&signature=" + signature
        target = path + ("?" + query if query else "")
        return self.send(method, target, body or None, {"X-MBX-APIKEY": key})


def sign(payload, secret=SECRET):
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def now(offset=0):
    return int(time.time() * 1000) + offset


def trusting(authority):
    return ssl.create_default_context(cafile=authority)
