"""The vector plugin of sdk/spec/vectors/transcripts.json, in threads and, with `asynchronous`, in asyncio."""

from __future__ import annotations

import asyncio
import time
from typing import Optional

from nexus_plugin import AsyncCall, Call, Plugin, ToolError


def threaded() -> Plugin:
    plugin = Plugin("vector")
    tool = plugin.tool(description="a tool of the vectors", content="text/plain")

    @tool
    def echo(call: Call, a: Optional[int] = None, b: Optional[int] = None) -> dict:
        return {name: value for name, value in (("a", a), ("b", b)) if value is not None}

    @tool
    def fail(code: str, message: str, retryable: bool = False) -> None:
        raise ToolError(code, message, retryable)

    @tool
    def wait(call: Call) -> None:
        while True:
            call.check()
            time.sleep(0.002)

    @tool
    def stream(call: Call, bytes: int, chunk: int) -> dict:
        for start in range(0, bytes, chunk):
            call.send(b"x" * min(chunk, bytes - start))
        return {"sent": bytes}

    @tool
    def steps(call: Call, count: int) -> dict:
        for step in range(1, count + 1):
            call.progress(step, count)
        return {"steps": count}

    @tool
    def fetch(call: Call) -> dict:
        return {"status": call.http("e", "/").status}

    @tool
    def secret(call: Call) -> dict:
        return {"length": len(call.credential("key"))}

    @tool
    def say(call: Call, text: str) -> dict:
        call.log("info", text)
        return {}

    return plugin


def asynchronous() -> Plugin:
    plugin = Plugin("vector")
    tool = plugin.tool(description="a tool of the vectors", content="text/plain")

    @tool
    async def echo(call: AsyncCall, a: Optional[int] = None, b: Optional[int] = None) -> dict:
        return {name: value for name, value in (("a", a), ("b", b)) if value is not None}

    @tool
    async def fail(code: str, message: str, retryable: bool = False) -> None:
        raise ToolError(code, message, retryable)

    @tool
    async def wait() -> None:
        await asyncio.Event().wait()

    @tool
    async def stream(call: AsyncCall, bytes: int, chunk: int) -> dict:
        for start in range(0, bytes, chunk):
            await call.send(b"x" * min(chunk, bytes - start))
        return {"sent": bytes}

    @tool
    async def steps(call: AsyncCall, count: int) -> dict:
        for step in range(1, count + 1):
            call.progress(step, count)
        return {"steps": count}

    @tool
    async def fetch(call: AsyncCall) -> dict:
        return {"status": (await call.http("e", "/")).status}

    @tool
    async def secret(call: AsyncCall) -> dict:
        return {"length": len(call.credential("key"))}

    @tool
    async def say(call: AsyncCall, text: str) -> dict:
        call.log("info", text)
        return {}

    return plugin


if __name__ == "__main__":
    threaded().run()
