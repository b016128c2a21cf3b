#!/usr/bin/env python3
"""Drives an MCP server with the independent `mcp` package from PyPI, and prints what happened, one JSON object a line.

    mcp_client.py --revision 2025-11-25 --stdio nexus mcp --list --call crypto_price '{"symbol":"BTCUSDT"}'
    mcp_client.py --revision 2026-07-28 --http http://127.0.0.1:8765/mcp --token-file FILE --list

Steps run in the order in which --list, --call, --abandon and --await-change are given. The lines:

    {"step": "initialize" | "discover", "revision", "server", "version", "capabilities"}
    {"step": "tools", "names": [...], "tools": [...] with --json}
    {"step": "call", "name", "isError", "structured", "text", "meta"}
    {"step": "progress", "name", "progress", "total", "message"} before it, with --progress
    {"step": "asked", "url", "message"} when the server sends the user to a URL, with --open-urls; then the answer
    {"step": "completed"} when the server says, in 2025-11-25, that the user is done there
    {"step": "abandon", "name"} after a call whose answer the client no longer waited for, and cancelled
    {"step": "listening"}, and {"step": "changed"} once the server has announced other tools
    {"step": <the step that failed>, "failed": true, "code", "error"}

Exit status 0 when every step got an answer of the protocol and none of them was an error, 1 when a step failed (also
a tool's own error, unless --allow-errors), 2 for a wrong command line. A revision is never negotiated away: with
2025-11-25 the client opens with `initialize`, with 2026-07-28 with `server/discover`, and anything else fails.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import shlex
import sys

import anyio
import mcp_types
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

PRINCIPAL = "io.nexus/principal"


class Step(argparse.Action):
    """Keeps --list and --call in one list, in the order of the command line."""

    def __call__(self, parser, namespace, values, option_string=None):
        steps = namespace.steps or []
        if self.dest in ("list", "await_change"):
            steps.append(("tools" if self.dest == "list" else "change", None, None))
        else:
            name, text = values
            try:
                arguments = json.loads(text)
            except ValueError as error:
                parser.error(f"--{self.dest} {name}: the arguments are not JSON: {error}")
            steps.append((self.dest, name, arguments))
        namespace.steps = steps


def parse(argv):
    parser = argparse.ArgumentParser(
        description="Drive an MCP server with the mcp package.",
        epilog="--stdio takes the words up to the next option; a command with options is quoted as one word.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--stdio", nargs="+", metavar="CMD", help="start this command and talk over its stdio")
    where.add_argument("--http", metavar="URL", help="talk to this endpoint")
    parser.add_argument("--token-file", metavar="FILE", help="the bearer token for --http")
    parser.add_argument("--header", action="append", default=[], metavar="NAME=VALUE", help="for --http")
    parser.add_argument("--meta", action="append", default=[], metavar="NAME=VALUE", help="in _meta of each call")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="for --stdio's command")
    parser.add_argument("--revision", choices=["2025-11-25", "2026-07-28"], required=True)
    parser.add_argument("--principal", metavar="USER", help=f"end user, sent as _meta[{PRINCIPAL!r}] of each call")
    parser.add_argument("--list", nargs=0, action=Step, help="list the tools")
    parser.add_argument("--call", nargs=2, action=Step, metavar=("NAME", "JSON"), help="call a tool; repeatable")
    parser.add_argument("--progress", action="store_true", help="ask for the progress of each call, and print it")
    parser.add_argument("--abandon", nargs=2, action=Step, metavar=("NAME", "JSON"), help="call a tool for a second")
    parser.add_argument("--await-change", nargs=0, action=Step, help="wait until other tools are announced")
    parser.add_argument("--open-urls", action="store_true", help="say that the user can be sent to URLs, and accept")
    parser.add_argument("--allow-errors", action="store_true", help="a result with isError is not a failure")
    parser.add_argument("--timeout", type=float, default=30, metavar="SECONDS", help="for each answer")
    parser.add_argument("--json", action="store_true", help="print the tools in full, too")
    parser.set_defaults(steps=[])
    options = parser.parse_args(argv)
    if options.token_file and not options.http:
        parser.error("--token-file belongs to --http")
    return options


def say(**line):
    print(json.dumps(line, ensure_ascii=False), flush=True)


def wire(model):
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)


def reason(error):
    """The first real error in the groups that task groups wrap around it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    code = error.error.code if isinstance(error, MCPError) else type(error).__name__
    return {"code": code, "error": str(error)}


async def transport(options, stack):
    if options.http is None:
        words = shlex.split(options.stdio[0]) if len(options.stdio) == 1 else options.stdio
        environment = dict(item.split("=", 1) for item in options.env)
        return StdioServerParameters(command=words[0], args=words[1:], env=environment)
    headers = dict(item.split("=", 1) for item in options.header)
    if options.token_file:
        with open(options.token_file, encoding="utf-8") as file:
            headers["Authorization"] = f"Bearer {file.read().strip()}"
    http = await stack.enter_async_context(create_mcp_http_client(headers=headers))
    return streamable_http_client(options.http, http_client=http)


def opening(client, revision):
    """What the server said of itself. The client has already sent the request of its revision."""
    if client.protocol_version != revision:
        raise RuntimeError(f"the server speaks {client.protocol_version}, not {revision}")
    server = client.server_info
    line = {
        "revision": client.protocol_version, "server": server and server.name, "version": server and server.version,
        "capabilities": wire(client.server_capabilities),
    }
    discovered = client.session.discover_result
    if discovered is not None:
        line["supported"] = discovered.supported_versions
    return line


announced = anyio.Event()
# Elicitations of 2025-11-25 that the server said are done.
completed = set()


async def hear(message):
    """What the server sends beside its answers."""
    if isinstance(message, mcp_types.ToolListChangedNotification):
        announced.set()
    if isinstance(message, mcp_types.ElicitCompleteNotification):
        completed.add(message.params.elicitation_id)
        say(step="completed")


async def await_change(client, options):
    """Waits as the revision has it: on the stream that the client opened by itself, or by subscribing."""
    if options.revision == "2026-07-28":
        async with client.listen(tools_list_changed=True) as subscription:
            say(step="listening")
            async for _ in subscription:
                return {"step": "changed"}
        raise RuntimeError("the server ended the subscription")
    say(step="listening")
    await announced.wait()
    return {"step": "changed"}


async def consent(context, params):
    """The user is asked whether to open the URL, and agrees; a test opens it."""
    say(step="asked", url=params.url, message=params.message)
    return mcp_types.ElicitResult(action="accept")


async def run_step(client, options, step):
    """One step's line, and whether it succeeded."""
    kind, name, arguments = step
    if kind == "tools":
        listed = await client.list_tools()
        line = {"step": "tools", "names": [tool.name for tool in listed.tools]}
        if options.json:
            line["tools"] = [wire(tool) for tool in listed.tools]
        return line, True
    if kind == "change":
        return await await_change(client, options), True
    meta = dict(item.split("=", 1) for item in options.meta)
    if options.principal:
        meta[PRINCIPAL] = options.principal
    meta = meta or None

    async def report(progress, total, message):
        say(step="progress", name=name, progress=progress, total=total, message=message)

    if kind == "abandon":
        with anyio.move_on_after(1):
            await client.call_tool(name, arguments, meta=meta)
        return {"step": "abandon", "name": name}, True
    call = lambda: client.call_tool(name, arguments, meta=meta, progress_callback=report if options.progress else None)
    try:
        result = await call()
    except MCPError as error:
        if error.error.code != -32042 or not options.open_urls:
            raise
        # 2025-11-25: the call is made again once the server says that the user is done.
        for asked in error.error.data["elicitations"]:
            say(step="asked", url=asked["url"], message=asked["message"])
            while asked["elicitationId"] not in completed:
                await anyio.sleep(0.05)
        result = await call()
    text = "".join(block.text for block in result.content if isinstance(block, mcp_types.TextContent))
    line = {
        "step": "call", "name": name, "isError": bool(result.is_error), "structured": result.structured_content,
        "text": text, "meta": result.meta,
    }
    return line, options.allow_errors or not result.is_error


async def drive(options):
    is_stateless = options.revision == "2026-07-28"
    first = "discover" if is_stateless else "initialize"
    succeeded, current = True, first
    try:
        async with contextlib.AsyncExitStack() as stack:
            client = await stack.enter_async_context(Client(
                await transport(options, stack), mode="auto" if is_stateless else "legacy", cache=None,
                read_timeout_seconds=options.timeout, message_handler=hear,
                elicitation_callback=consent if options.open_urls else None,
                client_info=mcp_types.Implementation(name="nexus-end-to-end", version="1")))
            say(step=first, **opening(client, options.revision))
            for step in options.steps:
                current = step[0]
                try:
                    line, good = await run_step(client, options, step)
                except (MCPError, RuntimeError, ValueError) as error:
                    line, good = {"step": current, "failed": True, **reason(error)}, False
                    if step[1]:
                        line["name"] = step[1]
                say(**line)
                succeeded = succeeded and good
    except Exception as error:  # what can go wrong in opening or closing is the transport's to invent
        say(step=current, failed=True, **reason(error))
        return False
    return succeeded


def main():
    options = parse(sys.argv[1:])
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    sys.exit(0 if asyncio.run(drive(options)) else 1)


if __name__ == "__main__":
    main()
