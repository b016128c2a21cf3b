"""The plugin as a process: descriptor 3, what is printed, and how it ends (abi-v1.md section 2)."""

from __future__ import annotations

import _thread
import os
import sys

from .errors import PluginMistake
from .link import SocketLink
from .session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from .plugin import Plugin

#: Where the host puts the plugin's end of the socket.
DESCRIPTOR = 3

#: Of each thread. The system's 8 MiB leave no room for many in a jail's address space; with less than this, a tool that
#: recurses without end ends the process by SIGSEGV, on some versions of Python, where it should get a RecursionError.
STACK_BYTES = 2 << 20

_M_ARENA_MAX = -8


def serve(plugin: Plugin) -> NoReturn:
    if not _is_socket(DESCRIPTOR):
        print(
            f"{plugin.name} is a Nexus plugin: file descriptor 3 is not a socket. Plugins are started by a host; try "
            "`nexus dev` or `nexus conform`, or --describe to see its tools.",
            file=sys.stderr,
        )
        leave(1)
    _thread.stack_size(STACK_BYTES)
    # What is printed is a log: whole lines, soon, and never a frame.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(line_buffering=True, errors="backslashreplace")

    def end(status: int) -> NoReturn:
        if session.reason is not None:
            print(f"{plugin.name}: {session.reason}", file=sys.stderr)
        leave(status)

    session = Session(plugin, SocketLink(DESCRIPTOR), end)
    session.before_threads = share_one_heap
    plugin._session = session
    try:
        status = session.run()
    except KeyboardInterrupt:
        status = 130
    end(status)


def share_one_heap() -> None:
    """Has all threads allocate from one heap.

    glibc reserves 64 MiB of address space for each of the first few threads, and has nothing left for the stacks of
    others in a jail of 512 MiB. Threads of Python allocate one at a time anyway. `ctypes` would take ten times as long.
    """
    try:
        import _ctypes

        mallopt = _ctypes.dlsym(_ctypes.dlopen(None, 0), "mallopt")  # type: ignore[arg-type]
        _ctypes.call_function(mallopt, (_M_ARENA_MAX, 1))
    except Exception:
        return  # another C library, or a Python without libffi: fewer calls fit


def describe(plugin: Plugin) -> NoReturn:
    import json

    try:
        text = json.dumps(plugin.describe(), indent=2, ensure_ascii=False)
    except PluginMistake as error:
        print(f"{plugin.name}: {error}", file=sys.stderr)
        leave(1)
    sys.stdout.buffer.write(text.encode() + b"\n")
    sys.stdout.flush()
    leave(0)


def leave(status: int) -> NoReturn:
    """Ends the process at once, whatever runs in it (ABI-2.6): threads of tools are not waited for."""
    os._exit(status)


def _is_socket(descriptor: int) -> bool:
    try:
        return (os.fstat(descriptor).st_mode & 0o170000) == 0o140000
    except OSError:
        return False
