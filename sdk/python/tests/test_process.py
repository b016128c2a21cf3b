"""The plugin as a process: what is printed, what is loaded, and how it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

from wire_host import FAR, SRC, Process

HELLO = """
import sys, time
from nexus_plugin import Call, Plugin
plugin = Plugin("hello")
@plugin.tool(description="prints")
def shout(call: Call, text: str) -> dict:
    print(text)
    print("to stderr", file=sys.stderr)
    return {"done": True}
@plugin.tool(description="never ends")
def hang(call: Call) -> None:
    import threading
    threading.Thread(target=time.sleep, args=(60,), daemon=False).start()  # a polite exit would wait
    call.progress(1)
    while True:
        time.sleep(0.05)
@plugin.tool(description="which modules")
def modules() -> list:
    return sorted(sys.modules)
plugin.run()
"""


def test_end_of_file_during_a_call_exits_at_once_with_0(tmp_path):
    host = Process(HELLO, tmp_path)
    host.start()
    host.call(1, "hang")
    host.expect("progress", 1)
    host.send("ping", nonce=1)
    host.expect("pong")
    start = time.monotonic()
    host.socket.close()
    status, _, errors = host.ended()
    assert (status, errors) == (0, "")
    assert time.monotonic() - start < 2


def test_disposed_exits_with_0_and_garbage_with_1(tmp_path):
    host = Process(HELLO, tmp_path)
    host.start()
    host.send("stop", deadline=FAR)
    host.expect("stopped")
    host.send("dispose")
    host.expect("disposed")
    assert host.ended()[0] == 0

    host = Process(HELLO, tmp_path)
    host.start()
    host.raw(b"\xff" * 16)
    host.expect("abort")
    status, _, errors = host.ended()
    assert status == 1
    assert "hello: the host broke the protocol: frame-too-large" in errors


def test_abort_of_the_host_exits_with_1_and_says_why(tmp_path):
    host = Process(HELLO, tmp_path)
    host.start()
    host.send("abort", code="plugin-failed", message="not today")
    status, _, errors = host.ended()
    assert status == 1
    assert "not today" in errors


def test_what_is_printed_is_a_log_and_never_a_frame(tmp_path):
    host = Process(HELLO, tmp_path)
    host.start()
    host.call(1, "shout", '{"text":"h\\u00e9llo \\n\\u0000"}')
    assert host.expect("result", 1)["json"].value == {"done": True}
    host.socket.close()
    status, output, errors = host.ended()
    assert status == 0
    assert output.startswith("h")
    assert errors == "to stderr\n"


def test_a_host_that_is_gone_is_an_end_of_file_and_no_signal(tmp_path):
    host = Process(HELLO, tmp_path)
    host.start()
    host.call(1, "modules")
    host.socket.close()
    status = host.ended()[0]
    assert status == 0, f"signal {-status}" if status == -signal.SIGPIPE else status


def test_asyncio_is_not_loaded_for_plain_functions(tmp_path):
    host = Process(HELLO, tmp_path)
    host.start()
    host.call(1, "modules")
    loaded = host.expect("result", 1)["json"].value
    assert "asyncio" not in loaded
    assert "socket" not in loaded
    host.close()


def test_nothing_heavy_is_loaded_before_the_first_call(tmp_path):
    source = HELLO.replace("plugin.run()", "") + (
        "import atexit, os\nreal = os._exit\n"
        "def leave(status):\n    print(*sorted(sys.modules)); sys.stdout.flush(); real(status)\n"
        "os._exit = leave\nplugin.run()\n"
    )
    host = Process(source, tmp_path)
    host.start()
    host.socket.close()
    loaded = set(host.ended()[1].split())
    heavy = {"asyncio", "socket", "json", "threading", "typing", "dataclasses", "inspect", "re", "logging"}
    bare = subprocess.run([sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, text=True)
    assert (loaded & heavy) - set(bare.stdout.split()) == set()


def test_started_by_hand_it_says_what_to_do(tmp_path):
    path = tmp_path / "plugin.py"
    path.write_text(HELLO)
    run = subprocess.run(
        [sys.executable, str(path)], env={"PYTHONPATH": str(SRC)}, capture_output=True, text=True, close_fds=True
    )
    assert run.returncode == 1
    assert "file descriptor 3 is not a socket" in run.stderr
    assert "--describe" in run.stderr


def test_a_mistake_in_the_hints_refuses_initialize_and_says_where(tmp_path):
    source = (
        "from __future__ import annotations\nfrom nexus_plugin import Plugin\nplugin = Plugin('hello')\n"
        "@plugin.tool(description='d')\ndef bad(when: Tomorrow) -> None: ...\nplugin.run()\n"
    )
    host = Process(source, tmp_path)
    host.welcome()
    host.send("initialize", configuration=b"{}")
    error = host.expect("error")
    assert "bad: a hint cannot be evaluated: name 'Tomorrow' is not defined at the top" in error["message"]
    status, _, errors = host.ended()
    assert status == 1
    assert "Tomorrow" in errors
