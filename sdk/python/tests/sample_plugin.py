"""Tools that use everything, for the tests of the harness."""

from __future__ import annotations

import asyncio
import time
from typing import TypedDict

from nexus_plugin import AsyncCall, Call, Cancelled, Plugin, Result


class Sum(TypedDict):
    total: int


def sample() -> Plugin:
    plugin = Plugin("sample")
    tool = plugin.tool(description="a sample", content="text/plain")

    @tool
    def add(a: int, b: int = 1) -> Sum:
        return {"total": a + b}

    @tool
    def wrong() -> Sum:
        return {"total": "many"}  # type: ignore[typeddict-item]

    @tool
    def returns(call: Call, what: str) -> object:
        return {"nan": float("nan"), "bytes": {"a": [b"x"]}, "set": {1}, "none": None, "list": [1]}[what]

    @tool
    def exits() -> None:
        raise SystemExit(3)

    @tool
    def report(call: Call) -> Result:
        call.progress(1, 2, "half")
        call.send(b"first ")
        call.log("warning", "slow", ms=7, parts=["a"])
        call.log("info", "odd", what={1})
        call.progress(2)
        return Result({"ok": True}, b"last")

    @tool
    def trace(call: Call) -> list:
        return [call.traceparent, call.request_id, call.tool, 0 < call.remaining < 60]

    @tool
    def store(call: Call) -> list:
        call.kv_put("b", b"2")
        call.kv_put("a", b"\x00")
        page = call.kv_list(limit=1)
        return [
            call.kv_get("a") == b"\x00",
            call.kv_get("none"),
            page.keys,
            page.more,
            call.kv_list(after="a").keys,
            call.kv_delete("a"),
            call.kv_delete("a"),
        ]

    @tool
    def fetch(call: Call) -> dict:
        response = call.http("api", "/v1", method="POST", query="q=1", headers={"accept": "x"}, body=b"body")
        return {"status": response.status, "json": response.json(), "type": response.headers["content-type"]}

    @tool
    async def fetch_async(call: AsyncCall) -> dict:
        responses = await asyncio.gather(*(call.http("api", f"/{n}") for n in range(5)))
        return {"bodies": [one.text() for one in responses]}

    @tool
    async def stream_async(call: AsyncCall, parts: int) -> dict:
        for _ in range(parts):
            await call.send(bytearray(100_000))
        return {}

    @tool
    def stream(call: Call, parts: int) -> dict:
        for _ in range(parts):
            call.send(memoryview(bytearray(100_000)))
        return {}

    @tool
    async def cleans_up(call: AsyncCall) -> None:
        call.progress(1)
        try:
            await asyncio.sleep(60)
        finally:
            call.log("info", "cleaned up")

    @tool
    def cleans_up_too(call: Call) -> None:
        call.progress(1)
        try:
            while not call.cancelled:
                time.sleep(0.002)
            call.check()
        except Cancelled:
            call.log("info", "cleaned up")
            raise

    @tool
    async def stubborn(call: AsyncCall) -> dict:
        call.progress(1)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return {"done": "anyway"}
        return {}

    @tool
    def falls(call: Call) -> None:
        call.progress(2)
        call.progress(1)

    return plugin
