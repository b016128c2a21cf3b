"""Sessions over real sockets: hostile hosts, late frames, floods, and how the process ends."""

from __future__ import annotations

import random
import threading
import time

import pytest
from vector_plugin import asynchronous, threaded
from wire_host import Threaded, wait_until

from nexus_plugin import AsyncCall, Plugin, Result, ToolError
from nexus_plugin.abi import INITIAL_CREDIT_BYTES
from nexus_plugin.frames import header
from nexus_plugin.messages import encode


@pytest.fixture
def host():
    one = Threaded(threaded())
    yield one
    one.close()


@pytest.fixture(params=[threaded, asynchronous], ids=["threads", "asyncio"])
def either(request):
    one = Threaded(request.param())
    yield one
    one.close()


def test_frames_cut_at_every_byte_are_read(host):
    host.expect("hello")
    data = (
        encode("welcome", 0, {"version": 1, "instance": "i", "bodyLimit": 4 << 20})
        + encode("initialize", 0, {"configuration": b'{"a": [1]}'})
        + encode("start")
        + encode("ping", 0, {"nonce": 5})
    )
    for byte in data:
        host.raw(bytes([byte]))
    host.expect("initialized")
    host.expect("started")
    assert host.expect("pong")["nonce"] == 5


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "frame-too-large"),
        (bytes(16), "unknown-kind"),
        (header("start", 0, 0)[:5] + b"\x01" + bytes(10), "malformed-frame"),
        (header("pong", 0, 4 << 20)[:3] + b"\x7f" + bytes(12), "frame-too-large"),
        (bytes(encode("initialize", 0, {"configuration": b"[]"})), "malformed-frame"),
        (bytes(encode("ping")), "missing-field"),
    ],
)
def test_garbage_is_answered_by_abort_and_ends_the_session(host, data, code):
    host.welcome()
    host.raw(data)
    assert host.expect("abort")["code"] == code
    assert host.ended() == 1


def test_random_garbage_never_hangs_or_crashes():
    rolls = random.Random(3)
    for _ in range(25):
        one = Threaded(threaded())
        one.welcome()
        one.raw(bytes(rolls.randrange(256) for _ in range(rolls.randrange(16, 200))))
        assert one.receive()[0] in ("abort", "pong")
        one.socket.close()
        assert one.ended() in (0, 1)
        one.close()


def test_late_frames_are_dropped_and_counted(host):
    host.start()
    host.call(1, "echo")
    host.expect("result", 1)
    host.send("cancel", 1, reason="late")
    host.send("credit", 1, bytes=5)
    host.call(3, "fetch")
    host.expect("hostCall", 2)
    host.send("result", 2, json=b'{"status":200,"headers":{}}')
    host.expect("result", 3)
    host.send("error", 2, code="unavailable", message="again")
    host.send("cancelled", 2)
    host.send("ping", nonce=1)
    host.expect("pong")
    assert host.session.late_frames == 4


def test_an_answer_after_giving_up_is_late(either):
    either.start()
    either.call(1, "fetch")
    either.expect("hostCall", 2)
    either.send("cancel", 1)
    either.expect("cancel", 2)
    either.expect("cancelled", 1)
    either.send("result", 2, json=b'{"status":200,"headers":{}}')
    either.call(3, "echo")
    either.expect("result", 3)
    assert either.session.late_frames == 1


def test_cancel_is_idempotent_and_one_terminal_frame_follows(either):
    either.start()
    either.call(1, "wait")
    for _ in range(20):
        either.send("cancel", 1, reason="enough")
    either.expect("cancelled", 1)
    either.call(3, "echo")
    either.expect("result", 3)


def test_the_deadline_ends_a_call_without_a_cancel(either):
    either.start()
    either.call(1, "wait", deadline=int(time.time() * 1000) + 150)
    error = either.expect("error", 1)
    assert (error["code"], error["retryable"]) == ("deadline-exceeded", 1)


def test_a_call_whose_deadline_has_passed_never_runs(either):
    either.start()
    either.call(1, "echo", deadline=1)
    assert either.expect("error", 1)["code"] == "deadline-exceeded"


def test_many_calls_at_once_each_get_their_own_answer(either):
    either.start()
    for index in range(150):
        either.call(2 * index + 1, "echo", f'{{"a":{index}}}')
    answers = {}
    for _ in range(150):
        kind, stream, message = either.receive()
        assert kind == "result"
        answers[stream] = message["json"].value["a"]
    assert answers == {2 * index + 1: index for index in range(150)}


def test_a_flood_of_pings_from_a_host_that_does_not_read_blocks_nothing(host):
    host.start()
    count = 30_000
    pings = b"".join(encode("ping", 0, {"nonce": nonce}) for nonce in range(count))
    sender = threading.Thread(target=host.raw, args=(pings,), daemon=True)
    sender.start()
    sender.join(20)  # every byte is taken though not one answer is read
    assert not sender.is_alive()
    for nonce in range(count):
        assert host.expect("pong")["nonce"] == nonce


def test_a_host_that_does_not_read_does_not_stop_the_reader():
    plugin = Plugin("big")
    plugin.tool(description="large", content="text/plain")(lambda_result())
    host = Threaded(plugin)
    host.start()
    for index in range(12):
        host.call(2 * index + 1, "large")
    wait_until(lambda: host.session.outbox.is_full)
    host.call(101, "large")
    host.send("cancel", 999_999)  # noticed although nothing can be written: the reader still reads
    wait_until(lambda: host.session.reason is not None)
    host.close()


def lambda_result():
    def large() -> Result:
        return Result({}, b"x" * 1_000_000)

    return large


def test_credit_is_never_exceeded_and_never_awaited_in_vain(either):
    either.start()
    total = INITIAL_CREDIT_BYTES + 5_000
    either.call(1, "stream", f'{{"bytes":{total},"chunk":100000}}')
    received = 0
    while received < INITIAL_CREDIT_BYTES:
        received += len(either.expect("data", 1)["bytes"])
    assert received == INITIAL_CREDIT_BYTES
    either.send("ping", nonce=1)
    either.expect("pong")
    for _ in range(50):
        either.send("credit", 1, bytes=100)
    while received < total:
        data = either.expect("data", 1)["bytes"]
        assert len(data) <= 5_000
        received += len(data)
    assert either.expect("result", 1)["json"].value == {"sent": total}


def test_stop_ends_what_runs_before_the_deadline(host):
    host.start()
    host.call(1, "wait")
    host.send("stop", deadline=int(time.time() * 1000) + 500)
    error = host.expect("error", 1)
    assert (error["code"], error["retryable"]) == ("unavailable", 1)
    host.expect("stopped")
    host.send("start")
    host.expect("started")
    host.call(3, "echo")
    host.expect("result", 3)


def test_stop_waits_for_calls_that_end_by_themselves(either):
    either.start()
    either.call(1, "fetch")
    either.expect("hostCall", 2)
    either.send("stop", deadline=int(time.time() * 1000) + 5_000)
    either.send("result", 2, json=b'{"status":204,"headers":{}}')
    either.expect("result", 1)
    either.expect("stopped")


def test_the_body_limit_of_welcome_is_kept():
    plugin = Plugin("big")
    plugin.tool(description="long", name="long")(lambda: "x" * 5_000)
    host = Threaded(plugin)
    host.expect("hello")
    host.send("welcome", version=1, instance="i", bodyLimit=5_000)
    host.send("initialize", configuration=b"{}")
    host.expect("initialized")
    host.send("start")
    host.expect("started")
    host.call(1, "long")
    error = host.expect("error", 1)
    assert error["code"] == "plugin-failed"
    assert "5000" in error["message"]
    host.close()


@pytest.mark.parametrize("is_async", [False, True])
def test_bytes_that_one_frame_does_not_hold_travel_as_data(is_async):
    def plain(count: int) -> Result:
        return Result({"n": 1}, b"x" * count)

    async def asynchronous(count: int) -> Result:
        return plain(count)

    plugin = Plugin("big")
    plugin.tool(description="large", name="large", content="text/plain")(asynchronous if is_async else plain)
    host = Threaded(plugin)
    host.expect("hello")
    host.send("welcome", version=1, instance="i", bodyLimit=5_000)
    host.send("initialize", configuration=b"{}")
    host.expect("initialized")
    host.send("start")
    host.expect("started")
    most = 5_000 - len('{"n":1}') - 12
    for stream, count in ((1, most), (3, most + 1), (5, 3 * most)):
        host.call(stream, "large", f'{{"count":{count}}}')
        received = 0
        while count > most and received < count:
            data = host.expect("data", stream)["bytes"]
            assert len(data) <= 5_000 - 6
            received += len(data)
        result = host.expect("result", stream)
        assert (result["json"].value, received + len(result["bytes"] or b"")) == ({"n": 1}, count)
    host.close()


@pytest.mark.parametrize("limit", [0, 4095, (4 << 20) + 1, (1 << 32) - 1])
def test_a_body_limit_outside_of_its_range_is_refused(host, limit):
    host.expect("hello")
    host.send("welcome", version=1, instance="i", bodyLimit=limit)
    error = host.expect("abort")
    assert error["code"] == "malformed-frame"
    assert f"a bodyLimit of {limit}; it is from 4096 to 4194304 (ABI-5.4)" in error["message"]
    assert host.ended() == 1


@pytest.mark.parametrize("limit", [4096, 4 << 20])
def test_the_ends_of_its_range_are_body_limits(host, limit):
    host.expect("hello")
    host.send("welcome", version=1, instance="i", bodyLimit=limit)
    host.send("initialize", configuration=b"{}")
    host.expect("initialized")


def test_an_error_of_the_host_without_a_message_reaches_the_tool(either):
    either.start()
    either.call(1, "fetch")
    either.expect("hostCall", 2)
    either.send("error", 2, code="unavailable", message="")
    assert either.expect("error", 1)["code"] == "unavailable"


def test_at_most_32_host_calls_are_open():
    plugin = Plugin("many")

    @plugin.tool(description="asks a lot")
    async def ask(call: AsyncCall) -> dict:
        import asyncio

        tasks = [asyncio.create_task(call.kv_get(str(n))) for n in range(33)]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        call.progress(1)
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        return {"errors": [one.code for one in answers if isinstance(one, ToolError)]}

    host = Threaded(plugin)
    host.start()
    host.call(1, "ask")
    for index in range(32):
        host.expect("hostCall", 2 * index + 2)
    host.expect("progress", 1)
    for index in range(32):
        host.send("result", 2 * index + 2, json=b'{"found":true}', bytes=b"v")
    assert host.expect("result", 1)["json"].value == {"errors": ["unavailable"]}
    host.close()


def test_a_hook_that_fails_refuses_the_start_with_an_error():
    for name, code in (("on_initialize", ValueError("no url")), ("on_start", ToolError("unavailable", "no url"))):
        plugin = Plugin("hooked")

        def hook(*arguments: object, error: Exception = code) -> None:
            raise error

        getattr(plugin, name)(hook)
        host = Threaded(plugin)
        host.welcome()
        host.send("initialize", configuration=b'{"url": null}')
        if name == "on_start":
            host.expect("initialized")
            host.send("start")
        error = host.expect("error")
        assert "no url" in error["message"]
        assert error["code"] == ("unavailable" if name == "on_start" else "plugin-failed")
        host.socket.close()
        assert host.ended() == 1
        host.close()


def test_pings_are_answered_while_a_hook_runs():
    plugin = Plugin("slow")
    go = threading.Event()
    seen = []

    @plugin.on_initialize
    def configure(configuration: dict) -> None:
        seen.append(configuration)
        go.wait(5)

    host = Threaded(plugin)
    host.welcome()
    host.send("initialize", configuration=b'{"a":1}')
    host.send("ping", nonce=9)
    assert host.expect("pong")["nonce"] == 9
    go.set()
    host.expect("initialized")
    assert seen == [{"a": 1}]
    host.close()
