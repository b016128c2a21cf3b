"""A credential shows itself nowhere, and is overwritten when its call ends."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import time

import pytest
from wire_host import Threaded

from nexus_plugin import Call, Credential, Plugin
from nexus_plugin.frames import Frame
from nexus_plugin.messages import encode
from nexus_plugin.strict_json import NotJSON
from nexus_plugin.strict_json import encode as to_json
from nexus_plugin.testing import Harness, HTTPResponse

SECRET = "s3cr3t-v4lue"


@pytest.mark.parametrize(
    "render", [repr, str, "{}".format, "{:>60}".format, "{!r}".format, lambda one: "%s" % one, lambda one: f"{[one]}"]
)
def test_every_rendering_shows_only_the_name(render):
    text = render(Credential("key", SECRET.encode()))
    assert SECRET not in text
    assert "<credential key>" in text


def test_it_cannot_be_pickled_copied_or_turned_into_json():
    one = Credential("key", SECRET.encode())
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps, to_json, vars, dict):
        with pytest.raises((TypeError, NotJSON)) as caught:
            attempt(one)
        assert SECRET not in str(caught.value)


def test_logging_shows_only_the_name(caplog):
    logging.getLogger("x").warning("with %s", Credential("key", SECRET.encode()))
    assert SECRET not in caplog.text


def test_the_value_is_there_until_it_is_wiped():
    one = Credential("key", SECRET.encode())
    view = one.bytes
    assert (one.text(), bytes(view), len(one)) == (SECRET, SECRET.encode(), len(SECRET))
    with pytest.raises(TypeError):
        view[0] = 1
    one.wipe()
    assert bytes(view) == bytes(len(SECRET))
    with pytest.raises(ValueError, match="its call has ended"):
        one.text()


@pytest.mark.parametrize("outcome", ["result", "error", "cancelled"])
def test_value_and_frame_are_overwritten_when_the_call_ends(monkeypatch, outcome):
    bodies: list[bytearray] = []
    views: list[memoryview] = []
    original = Frame.__init__

    def remember(self, kind, stream, body):
        bodies.append(body)
        original(self, kind, stream, body)

    monkeypatch.setattr(Frame, "__init__", remember)
    plugin = Plugin("secret")

    @plugin.tool(description="keeps a view")
    def keep(call: Call) -> dict:
        views.append(call.credential("key").bytes)
        assert bytes(views[0]) == SECRET.encode()
        if outcome == "error":
            raise ValueError("no")
        while outcome == "cancelled":
            call.check()
            time.sleep(0.001)
        return {}

    host = Threaded(plugin)
    host.start()
    bodies.clear()
    host.call(1, "keep", credential=[Credential("key", SECRET.encode())])
    if outcome == "cancelled":
        host.send("cancel", 1)
    host.expect(outcome, 1)
    assert bytes(views[0]) == bytes(len(SECRET))
    assert len(bodies[0]) > len(SECRET)
    assert SECRET.encode() not in bodies[0]
    assert SECRET.encode() not in host.session._decoder._buffer
    host.close()


def test_credentials_of_open_calls_are_overwritten_at_end_of_file():
    views: list[memoryview] = []
    plugin = Plugin("secret")

    @plugin.tool(description="waits")
    def keep(call: Call) -> None:
        views.append(call.credential("key").bytes)
        while True:
            call.check()
            time.sleep(0.001)

    host = Threaded(plugin)
    host.start()
    host.call(1, "keep", credential=[Credential("key", SECRET.encode())])
    end = time.monotonic() + 5
    while not views and time.monotonic() < end:
        time.sleep(0.001)
    host.socket.close()
    host.ended()
    assert bytes(views[0]) == bytes(len(SECRET))
    host.close()


def leaky() -> Plugin:
    plugin = Plugin("secret")

    @plugin.tool(description="quotes it")
    def quote(call: Call) -> None:
        call.log("info", f"using {call.credential('key').text()}")
        call.progress(1, 2, call.credential("key").text())
        raise ValueError(f"bad key {call.credential('key').text()}")

    @plugin.tool(description="returns it")
    def give(call: Call) -> dict:
        return {"key": call.credential("key")}

    @plugin.tool(description="sends it", credentials=["key"])
    def fetch(call: Call) -> dict:
        return {
            "status": call.http("api", "/", headers={"authorization": call.credential("key"), "accept": "*/*"}).status
        }

    return plugin


def test_an_exception_a_log_or_progress_that_quotes_it_is_scrubbed(capsys):
    with Harness(leaky()) as host:
        answer = host.call("quote", credentials={"key": SECRET})
    assert SECRET not in str(answer)
    assert "bad key <credential key>" in answer.error.message
    assert answer.logs[0].message == "using <credential key>"
    assert SECRET not in capsys.readouterr().err


def test_a_result_that_holds_one_is_refused():
    with Harness(leaky()) as host:
        error = host.call("give", credentials={"key": SECRET}).error
    assert error.code == "plugin-failed"
    assert "/key: Credential is not JSON; a credential must not leave the call" in error.message


@pytest.mark.parametrize("secret", [SECRET, 'with "quotes" and \\ in it', "x" * 5_000])
def test_a_header_may_be_a_credential(secret):
    seen = []

    def http(request):
        seen.append(request)
        return HTTPResponse(200)

    with Harness(leaky(), http=http) as host:
        assert host.call("fetch", credentials={"key": secret}).value == {"status": 200}
    assert seen[0].headers == {"authorization": secret, "accept": "*/*"}


def test_a_credential_with_a_line_break_is_no_header():
    with Harness(leaky(), http=lambda request: HTTPResponse(200)) as host:
        error = host.call("fetch", credentials={"key": "a\r\nx: y"}).error
    assert error.code == "invalid-arguments"
    assert "a\r\n" not in error.message


def test_frames_with_a_secret_are_overwritten_once_sent():
    frame = encode("hostCall", 2, {"service": "http.fetch", "parent": 1, "json": SECRET.encode()})
    assert SECRET.encode() in frame
    from nexus_plugin.link import Outbox

    class Link:
        sent = b""

        def is_writable(self, wait):
            return True

        def send(self, data):
            Link.sent += bytes(data[:7])
            return min(7, len(data))

    box = Outbox(Link())
    box.put(frame)
    box.flush()
    assert SECRET.encode() in Link.sent
    assert frame == bytes(len(frame))


def test_sealed_credentials_are_named():
    from nexus_plugin.services import http_request

    request = http_request("api", "/", "GET", None, {"accept": "*/*"}, ["key", "pair"])
    assert json.loads(bytes(request)) == {
        "endpoint": "api",
        "method": "GET",
        "path": "/",
        "sealed": ["key", "pair"],
        "headers": {"accept": "*/*"},
    }
    plugin = Plugin("secret")
    seen = []

    @plugin.tool(description="Uses a sealed key.")
    def use(call: Call) -> dict:
        return {"status": call.http("api", "/", sealed=["key"]).status}

    def http(wanted):
        seen.append(wanted)
        return HTTPResponse(200)

    with Harness(plugin, http=http) as harness:
        assert harness.call("use").value == {"status": 200}
    assert seen[0].sealed == ("key",) and seen[0].headers == {}
