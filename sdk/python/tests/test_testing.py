"""The harness runs real sessions: functions, asyncio, streaming, services, logs and the other kinds of plugins."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import Annotated, Dict

import pytest
from sample_plugin import sample

from nexus_plugin import AsyncCall, Call, LogHandler, Plugin, Result, ToolError
from nexus_plugin.abi import INITIAL_CREDIT_BYTES
from nexus_plugin.testing import Harness, HarnessError, HTTPResponse, LogRecord, Progress

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def host():
    with Harness(sample()) as one:
        yield one


def test_a_result(host):
    assert host.call("add", {"a": 2}).value == {"total": 3}


def test_arguments_that_do_not_fit_are_named(host):
    error = host.call("add", {"a": "x", "c": 1}).error
    assert error.code == "invalid-arguments"
    assert "/a: must be integer, found string; /c: is not known here; known are: a, b" in error.message


@pytest.mark.parametrize(
    ("what", "words"),
    [("nan", "nan is not JSON"), ("bytes", "/a/0: bytes is not JSON"), ("set", "set is not JSON; use a list")],
)
def test_a_result_that_is_not_json_names_tool_and_type(host, what, words):
    error = host.call("returns", {"what": what}).error
    assert error.code == "plugin-failed"
    assert "the result is not JSON: " in error.message
    assert words in error.message


def test_results_of_any_json(host):
    assert host.call("returns", {"what": "none"}).value is None
    assert host.call("returns", {"what": "list"}).value == [1]


def test_a_result_that_the_output_schema_forbids_is_named(host, capsys):
    error = host.call("wrong").error
    assert error.code == "plugin-failed"
    assert "outputSchema (MAN-6.3): /total: must be integer, found string" in error.message
    assert f"wrong: {error.message}\n" in capsys.readouterr().err


@pytest.mark.parametrize("hint", [dict, Dict, Dict[str, int], Annotated[dict, "what it is"]])
def test_a_dict_that_is_not_returned_is_refused(hint):
    plugin = Plugin("none")

    def forgets(is_given: bool):
        return {"a": 1} if is_given else None

    forgets.__annotations__["return"] = hint
    plugin.tool(description="forgets to return")(forgets)
    assert plugin.describe()["tools"][0]["outputSchema"] == {"type": "object"}
    with Harness(plugin) as one:
        assert one.call("forgets", {"is_given": True}).value == {"a": 1}
        error = one.call("forgets", {"is_given": False}).error
    assert error.code == "plugin-failed"
    assert "(MAN-6.3): /: must be object, found null" in error.message


@pytest.mark.parametrize("arguments", [("foo", ""), ("foo", " \n"), ("foo", None), (None, "text")], ids=range(4))
def test_an_error_that_says_nothing_is_refused_in_words(arguments):
    plugin = Plugin("silent")

    @plugin.tool(description="raises")
    def silent() -> None:
        raise ToolError(*arguments)

    with Harness(plugin) as one:
        error = one.call("silent").error
    assert error.code == "plugin-failed"
    assert "says nothing: write a code and, as text, what failed" in error.message
    assert "(ABI-9.6)" in error.message


def test_what_a_tool_throws_becomes_plugin_failed_and_the_session_goes_on(host, capsys):
    error = host.call("returns", {"what": "x"}).error
    assert (error.code, error.message) == ("plugin-failed", "KeyError: 'x'")
    printed = capsys.readouterr().err
    assert "returns threw, and was answered with plugin-failed (ABI-7.6)" in printed
    assert "Traceback" in printed
    assert "SystemExit: 3" in host.call("exits").error.message
    assert "progress must not fall: 1 after 2" in host.call("falls").error.message
    assert host.call("add", {"a": 1}).value == {"total": 2}


def test_progress_data_and_logs(host):
    answer = host.call("report")
    assert answer.value == {"ok": True}
    assert answer.data == b"first last"
    assert answer.progress == [Progress(1, 2, "half"), Progress(2, None, None)]
    assert answer.logs[0] == LogRecord("warning", "slow", {"ms": 7, "parts": ["a"]})
    assert "its fields were dropped: /what: set is not JSON" in answer.logs[1].message


def test_a_trace_and_the_names_of_a_call(host):
    assert host.call("trace", traceparent=TRACE).value == [TRACE, "r1", "trace", True]
    assert host.call("trace", traceparent="nonsense").value[0] is None


def test_the_store(host):
    assert host.call("store").value == [True, None, ["a"], True, ["b"], True, False]
    assert host.kv == {"b": b"2"}


def test_http_in_threads_and_asyncio():
    seen = []

    def http(request):
        seen.append(request)
        if request.path == "/v1":
            return HTTPResponse(201, {"Content-Type": "application/json"}, b'{"a":1}')
        return HTTPResponse(200, {}, request.path.encode())

    with Harness(sample(), http=http) as host:
        assert host.call("fetch").value == {"status": 201, "json": {"a": 1}, "type": "application/json"}
        assert host.call("fetch_async").value == {"bodies": ["/0", "/1", "/2", "/3", "/4"]}
    first = seen[0]
    assert (first.endpoint, first.method, first.path, first.query) == ("api", "POST", "/v1", "q=1")
    assert (first.headers, first.body) == ({"accept": "x"}, b"body")


def test_a_service_that_fails_raises_in_the_tool():
    def http(request):
        raise ToolError("unavailable", "no route")

    with Harness(sample(), http=http) as host:
        error = host.call("fetch").error
        assert (error.code, error.message, error.retryable) == ("unavailable", "no route", True)
    with Harness(sample(), http={"GET api /0": HTTPResponse(200)}) as host:
        assert host.call("fetch").error.code == "permission-denied"


@pytest.mark.parametrize("tool", ["stream", "stream_async"])
def test_streams_wait_for_credit(tool):
    with Harness(sample(), credit=False) as host:
        pending = host.begin(tool, {"parts": 5})
        host._await(lambda: pending.received == INITIAL_CREDIT_BYTES, 5, "no data")
        host.ping()
        time.sleep(0.05)
        assert pending.received == INITIAL_CREDIT_BYTES
        pending.grant(500_000)
        assert len(pending.wait().data) == 500_000
    with Harness(sample()) as host:
        assert len(host.call(tool, {"parts": 30}).data) == 3_000_000


@pytest.mark.parametrize("tool", ["stream", "stream_async"])
def test_a_call_that_waits_for_credit_can_be_cancelled(tool):
    with Harness(sample(), credit=False) as host:
        pending = host.begin(tool, {"parts": 5})
        host._await(lambda: pending.received == INITIAL_CREDIT_BYTES, 5, "no data")
        pending.cancel()
        assert pending.wait().is_cancelled
        with pytest.raises(HarnessError, match="was cancelled"):
            _ = pending.wait().value


@pytest.mark.parametrize("tool", ["cleans_up", "cleans_up_too"])
def test_cancel_lets_a_tool_clean_up(host, tool):
    pending = host.begin(tool)
    host._await(lambda: bool(pending.progress), 5, "it did not begin")
    pending.cancel()
    answer = pending.wait()
    assert answer.is_cancelled
    assert [one.message for one in answer.logs] == ["cleaned up"]


def test_a_tool_may_finish_although_cancelled(host):
    pending = host.begin("stubborn")
    host._await(lambda: bool(pending.progress), 5, "it did not begin")
    pending.cancel()
    assert pending.wait().value == {"done": "anyway"}


@pytest.mark.parametrize("tool", ["cleans_up", "cleans_up_too"])
def test_the_deadline_ends_a_call(host, tool):
    error = host.call(tool, timeout=0.2).error
    assert (error.code, error.retryable) == ("deadline-exceeded", True)


def test_threads_are_bounded_and_queued_calls_can_be_cancelled():
    plugin = Plugin("queue", max_threads=2)
    go, running = threading.Event(), []

    @plugin.tool(description="waits")
    def wait() -> None:
        running.append(threading.current_thread().name)
        go.wait(10)

    with Harness(plugin) as host:
        calls = [host.begin("wait") for _ in range(5)]
        host.ping()
        calls[4].cancel()
        assert calls[4].wait().is_cancelled
        end = time.monotonic() + 5
        while len(running) < 2 and time.monotonic() < end:
            time.sleep(0.002)
        time.sleep(0.05)
        assert len(running) == 2
        go.set()
        assert [one.wait().error for one in calls[:4]] == [None] * 4
        assert len(set(running)) == 2


def test_logging_goes_to_the_call_and_to_the_session():
    plugin = Plugin("logs")
    logger = logging.getLogger("nexus-test")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    handler = LogHandler(plugin)
    logger.addHandler(handler)

    @plugin.tool(description="logs")
    def speak() -> None:
        logger.warning("in a %s", "call", extra={"fields": {"n": 1}})

    @plugin.tool(description="logs")
    async def speak_async() -> None:
        logger.error("in a task")

    try:
        with Harness(plugin) as host:
            logger.info("outside")
            assert host.call("speak").logs == [LogRecord("warning", "in a call", {"logger": "nexus-test", "n": 1})]
            assert host.call("speak_async").logs == [LogRecord("error", "in a task", {"logger": "nexus-test"})]
            assert host.logs == [LogRecord("info", "outside", {"logger": "nexus-test"})]
        logger.info("nobody listens")
    finally:
        logger.removeHandler(handler)


def test_hooks_in_their_order():
    plugin, seen = Plugin("hooks"), []
    plugin.on_initialize(lambda configuration: seen.append(configuration))

    @plugin.on_start
    async def start() -> None:
        await asyncio.sleep(0)
        seen.append("start")

    plugin.on_stop(lambda: seen.append("stop"))
    plugin.on_dispose(lambda: seen.append("dispose"))
    with Harness(plugin, configuration={"url": "x"}):
        assert seen == [{"url": "x"}, "start"]
    assert seen == [{"url": "x"}, "start", "stop", "dispose"]


def test_a_plugin_that_refuses_to_start_says_why():
    plugin = Plugin("hooks")

    @plugin.on_initialize
    def configure(configuration: dict) -> None:
        raise ToolError("invalid-arguments", "url is missing")

    with pytest.raises(HarnessError, match="url is missing"):
        Harness(plugin).__enter__()


def test_a_connector_offers_tools_while_it_runs():
    plugin = Plugin("connector")

    @plugin.tool(description="adds one")
    def more(call: Call) -> None:
        @plugin.tool(description="new", name="another")
        def another() -> dict:
            return {"new": True}

        plugin.offer_tools()

    with Harness(plugin) as host:
        assert host.call("another").error.code == "unknown-tool"
        host.call("more")
        assert [one["name"] for one in host.offered["tools"]] == ["more", "another"]
        assert host.call("another").value == {"new": True}


def test_an_authentication_plugin():
    plugin = Plugin("auth")

    @plugin.authenticator
    def check(call: Call, scheme: str) -> dict:
        if call.credential("presented").bytes != b"good":
            raise ToolError("unauthenticated", "no such token; present another one")
        return {"principal": "ada", "groups": [], "expires": 1}

    assert plugin.describe() == {"tools": []}
    with Harness(plugin) as host:
        good = host.call("authenticate", {"scheme": "bearer"}, credentials={"presented": "good"})
        assert good.value["principal"] == "ada"
        bad = host.call("authenticate", {"scheme": "bearer"}, credentials={"presented": "bad"})
        assert bad.error.code == "unauthenticated"


def test_a_tool_that_does_not_answer_fails_the_test():
    plugin = Plugin("slow")
    go = threading.Event()
    plugin.tool(description="d", name="wait")(lambda: go.wait(5))
    host = Harness(plugin).__enter__()
    with pytest.raises(HarnessError, match="wait did not answer within 0.1 s"):
        host.begin("wait").wait(0.1)
    go.set()
    host.__exit__(None, None, None)


def test_bytes_without_a_media_type_say_what_to_declare(capsys):
    plugin = Plugin("bytes")
    plugin.tool(description="d", name="ends")(lambda: Result({}, b"x"))

    @plugin.tool(description="d")
    def sends(call: Call) -> None:
        call.send(b"x")

    @plugin.tool(description="d")
    async def sends_too(call: AsyncCall) -> None:
        await call.send(b"x")

    with Harness(plugin) as host:
        for tool in ("ends", "sends", "sends_too"):
            error = host.call(tool).error
            assert error.code == "plugin-failed"
            assert "it sends bytes of no media type (ABI-7.13); declare it" in error.message
            assert f"{tool}: {error.message}\n" in capsys.readouterr().err
