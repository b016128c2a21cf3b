"""An asyncio loop that a tool blocks is noticed, once for each call, and one that only waits is not."""

from __future__ import annotations

import asyncio
import time

import pytest

from nexus_plugin import AsyncCall, Plugin, watching
from nexus_plugin.testing import Harness


def blocking() -> Plugin:
    plugin = Plugin("blocks")

    @plugin.tool(description="blocks the loop")
    async def sleeper(call: AsyncCall, seconds: float) -> None:
        call.progress(1)
        time.sleep(seconds)

    @plugin.tool(description="blocks the loop in a task of its own")
    async def parent(call: AsyncCall, seconds: float) -> None:
        async def child() -> None:
            call.progress(1)
            time.sleep(seconds)

        await asyncio.gather(child())

    @plugin.tool(description="waits as it should")
    async def patient(call: AsyncCall, seconds: float) -> None:
        call.progress(1)
        await asyncio.sleep(seconds)

    @plugin.tool(description="waits in a thread")
    def thread(seconds: float) -> None:
        time.sleep(seconds)

    return plugin


def told(tool: str) -> str:
    return f"ABI-6.6: the asyncio loop is blocked by {tool}; use asyncio.to_thread or a plain def\n"


def begun(host: Harness, tool: str, seconds: float):
    pending = host.begin(tool, {"seconds": seconds})
    host._await(lambda: bool(pending.progress), 5, "it did not begin")
    return pending


@pytest.fixture
def host():
    with Harness(blocking()) as one:
        yield one


@pytest.mark.parametrize("tool", ["sleeper", "parent"])
def test_the_next_ping_tells_of_a_blocked_loop_once_a_call(host, monkeypatch, capsys, tool):
    monkeypatch.setattr(watching, "PING_SECONDS", 0.1)
    for _ in range(2):
        pending = begun(host, tool, 0.8)
        for _ in range(5):
            host.ping()
            time.sleep(0.1)
        pending.wait()
    assert capsys.readouterr().err == told(tool) * 2


def test_without_another_ping_the_reader_tells_of_it(host, monkeypatch, capsys):
    monkeypatch.setattr(watching, "BLOCKED_SECONDS", 0.2)
    pending = begun(host, "sleeper", 1.0)
    host.ping()
    time.sleep(0.5)
    assert capsys.readouterr().err == told("sleeper")  # while it still blocks
    pending.wait()
    assert host.call("patient", {"seconds": 0}).error is None


def test_the_one_that_blocks_is_told_from_those_that_wait(host, monkeypatch, capsys):
    monkeypatch.setattr(watching, "BLOCKED_SECONDS", 0.2)
    waiting = begun(host, "patient", 0.1)
    pending = begun(host, "sleeper", 0.6)
    host.ping()
    pending.wait()
    waiting.wait()
    assert capsys.readouterr().err == told("sleeper")


def test_a_loop_that_turns_is_not_told_of(host, monkeypatch, capsys):
    monkeypatch.setattr(watching, "PING_SECONDS", 0.1)
    monkeypatch.setattr(watching, "BLOCKED_SECONDS", 0.2)
    pendings = [begun(host, "patient", 0.7), host.begin("thread", {"seconds": 0.7})]
    for _ in range(4):
        host.ping()
        time.sleep(0.15)
    for pending in pendings:
        assert pending.wait().error is None
    assert capsys.readouterr().err == ""


def test_a_hook_that_blocks_is_told_of(monkeypatch, capsys):
    monkeypatch.setattr(watching, "BLOCKED_SECONDS", 0.1)
    plugin = blocking()

    @plugin.on_stop
    async def stop() -> None:
        plugin.log("info", "begins")
        time.sleep(0.5)

    with Harness(plugin) as host:
        host._send("stop", 0, {"deadline": int((time.time() + 5) * 1000)})
        host._await(lambda: bool(host.logs), 5, "the hook did not begin")
        host.ping()
        host._await_state("stopped")
        host._send("dispose", 0, {})
        host._await_state("disposed")
    assert capsys.readouterr().err == told("a hook or a callback")
