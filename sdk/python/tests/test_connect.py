"""Sockets that come with answers of the host: which frame they belong to, and who owns them (ABI-7.20 to ABI-7.22)."""

from __future__ import annotations

import array
import asyncio
import json
import os
import socket
import threading

import pytest

from nexus_plugin import AsyncCall, Call, Plugin
from nexus_plugin.link import SocketLink
from nexus_plugin.messages import encode
from nexus_plugin.session import Session
from nexus_plugin.testing import Harness


def plugin() -> Plugin:
    one = Plugin("sample")

    @one.tool(description="Asks a server")
    def ask(call: Call, text: str) -> str:
        with call.connect("db.example.com", 5432) as connection:
            connection.sendall(text.encode())
            return connection.recv(100).decode()

    @one.tool(description="Asks a server")
    async def ask_later(call: AsyncCall, text: str) -> str:
        reader, writer = await asyncio.open_connection(sock=await call.connect("db.example.com", 5432))
        writer.write(text.encode())
        answer = (await reader.read(100)).decode()
        writer.close()
        await writer.wait_closed()
        return answer

    @one.tool(description="Asks and does not take the socket")
    def ignore(call: Call) -> None:
        call.host("net.connect", {"host": "db.example.com", "port": 5432})

    return one


@pytest.mark.parametrize("tool", ["ask", "ask_later"])
def test_a_tool_speaks_on_the_connection_and_it_is_closed_afterwards(tool):
    peer, own = socket.socketpair()
    asked = []

    def connect(host: str, port: int) -> socket.socket:
        asked.append((host, port))
        return own

    with Harness(plugin(), connect=connect) as host, peer:
        peer.sendall(b"pong")
        assert host.call(tool, {"text": "ping"}).value == "pong"
        assert asked == [("db.example.com", 5432)]
        peer.settimeout(10)
        assert peer.recv(100) == b"ping"
        assert peer.recv(100) == b""


def test_a_refused_connection_is_the_error_of_the_call():
    with Harness(plugin()) as host:
        error = host.call("ask", {"text": "x"}).error
        assert error.code == "permission-denied"
        assert "give Harness(connect=..) some" in error.message


def test_a_socket_that_nobody_takes_is_closed():
    peer, own = socket.socketpair()
    with Harness(plugin(), connect=lambda host, port: own) as host, peer:
        assert host.call("ignore").value is None
        peer.settimeout(10)
        assert peer.recv(1) == b""


def test_a_tcp_socket_keeps_its_family():
    with socket.create_server(("127.0.0.1", 0)) as server:
        own = socket.create_connection(server.getsockname())
        seen = []
        one = Plugin("sample")

        @one.tool(description="Looks")
        def look(call: Call) -> None:
            with call.connect("db.example.com", 5432) as connection:
                seen.append((connection.family, connection.type, connection.getblocking()))

        with Harness(one, connect=lambda host, port: own) as host:
            assert host.call("look").error is None
        assert seen == [(socket.AF_INET, socket.SOCK_STREAM, True)]


class Recorder(Session):
    """Notes what came with each ping."""

    def __init__(self, link: SocketLink) -> None:
        super().__init__(Plugin("sample"), link)
        self.seen: list[tuple[int, int | None]] = []

    def _on_ping(self, stream, message):
        inode = os.fstat(self._passed).st_ino if self._passed is not None else None
        self.seen.append((message["nonce"], inode))


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 16, 25, 26, 27, 60, 65_536])
def test_a_descriptor_belongs_to_its_frame_however_the_bytes_are_cut(piece):
    host, own = socket.socketpair()
    with open("/dev/null") as first, open("/dev/zero") as second, host, own:
        session = Recorder(SocketLink(own.fileno()))
        receive = session._link.receive
        session._link.receive = lambda into: receive(into[:piece])  # type: ignore[method-assign]
        frames = [
            ("welcome", {"version": 1, "instance": "i", "bodyLimit": 1 << 20}, None),
            ("ping", {"nonce": 1}, None),
            ("ping", {"nonce": 2}, first),
            ("ping", {"nonce": 3}, None),
            ("ping", {"nonce": 4}, second),
            ("ping", {"nonce": 5}, first),
        ]
        for kind, message, file in frames:
            rights = array.array("i", [file.fileno()] if file else [])
            controls = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)] if file else []
            host.sendmsg([encode(kind, 0, message)], controls)
        before = len(os.listdir("/proc/self/fd"))
        thread = threading.Thread(target=session.run)
        thread.start()
        host.shutdown(socket.SHUT_WR)
        thread.join()
        inodes = [os.fstat(file.fileno()).st_ino for file in (first, second)]
        assert session.seen == [(1, None), (2, inodes[0]), (3, None), (4, inodes[1]), (5, inodes[0])]
        assert len(os.listdir("/proc/self/fd")) == before, "what nobody took is closed"


def test_a_late_answer_brings_nothing():
    peer, own = socket.socketpair()
    answered = threading.Event()

    def connect(host: str, port: int) -> socket.socket:
        answered.wait(10)
        return own

    with Harness(plugin(), connect=connect) as host, peer:
        pending = host.begin("ask", {"text": "x"})
        pending.cancel()
        assert pending.wait().is_cancelled
        answered.set()
        peer.settimeout(10)
        assert peer.recv(1) == b""
        assert json.dumps(host.logs) == "[]"
