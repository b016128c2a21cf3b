"""Asks a server over connections that the host makes, and tries what their jail should not let it do with them."""
import errno
import fcntl
import socket

from nexus_plugin import Call, Plugin, ToolError

plugin = Plugin("net")
kept = None


def outcome(act):
    try:
        act()
        return "succeeded"
    except OSError as error:
        return errno.errorcode[error.errno]


def attacks(connection):
    elsewhere = ("127.0.0.1", 9)
    return {
        "connect": outcome(lambda: connection.connect(elsewhere)),
        "listen": outcome(lambda: connection.listen(1)),
        "fast-open": outcome(lambda: connection.sendto(b"x", socket.MSG_FASTOPEN, elsewhere)),
        "own-address": outcome(connection.getsockname),
        "interfaces": outcome(lambda: fcntl.ioctl(connection, 0x8912, bytes(16))),
        "option": outcome(lambda: connection.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")),
    }


def exchange(connection, text):
    connection.sendall(text.encode())
    return connection.recv(1000).decode()


@plugin.tool(description="Connects, asks, and tries what a socket should not do; leaves the connection open")
def net_ask(call: Call, host: str, port: int, text: str) -> dict:
    global kept
    kept = call.connect(host, port)
    kept.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    tried = attacks(kept)
    return {"connected": f"{host}:{port}", "attacks": tried, "heard": exchange(kept, text)}


@plugin.tool(description="Asks over the connection that an earlier call left open")
def net_again(call: Call, text: str) -> dict:
    return {"heard": exchange(kept, text)}


@plugin.tool(description="Connects and closes many times")
def net_many(call: Call, host: str, port: int, times: int) -> dict:
    made, why = 0, ""
    for _ in range(times):
        try:
            call.connect(host, port).close()
            made += 1
        except ToolError as error:
            why = error.message
    return {"made": made, "refused": times - made, "why": why}


plugin.run()
