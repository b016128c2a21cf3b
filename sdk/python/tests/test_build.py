"""The build makes one file, always the same bytes, that runs on its own."""

from __future__ import annotations

import importlib.util
import json
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from wire_host import FAR, SRC, Process, WireHost

from nexus_plugin.build import main

MAIN = """
from typing import Annotated

from nexus_plugin import Call, Field, Plugin

import helper

plugin = Plugin("hello")


@plugin.tool(description="Greets somebody")
def hello_greet(call: Call, name: Annotated[str, Field("Whom to greet")]) -> dict:
    return {"greeting": helper.greeting(name), "text": helper.text()}


if __name__ == "__main__":
    plugin.run()
"""
HELPER = """
import pkgutil

KNOWN = {"a", "b", "c", "d"}


def greeting(name):
    assert "x" not in {"q", "w", "e", "r", "t"}
    return f"Hello, {name}!"


def text():
    return pkgutil.get_data("parts", "text.txt").decode()
"""


def project(folder: Path) -> Path:
    (folder / "src" / "parts").mkdir(parents=True)
    (folder / "src" / "main.py").write_text(MAIN)
    (folder / "src" / "helper.py").write_text(HELPER)
    (folder / "src" / "parts" / "__init__.py").write_text("")
    (folder / "src" / "parts" / "text.txt").write_text("caf\u00e9", encoding="utf-8")
    manifest = {
        "manifest": 1,
        "name": "hello",
        "runtime": {"type": "python", "executable": "bin/hello.pyz"},
        "description": "caf\u00e9",
        "tools": [],
    }
    (folder / "plugin.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


class Built(Process):
    """A built plugin, started as the host starts it."""

    def __init__(self, file: Path, python: str = sys.executable) -> None:
        WireHost.__init__(self)
        self._start([python, "-I", "-B", str(file)], {"PATH": "/usr/bin:/bin"})


def build(
    folder: Path, environment: dict[str, str] | None = None, umask: int = 0o022, python: str = sys.executable
) -> bytes:
    run = subprocess.run(
        ["/bin/bash", "-c", f'umask {umask:o}; exec "$@"', "bash", sys.executable, "-m", "nexus_plugin.build"]
        + [str(folder), "--python", python],
        env={"PYTHONPATH": str(SRC), "PATH": os.environ["PATH"], **(environment or {})},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return (folder / "bin" / "hello.pyz").read_bytes()


def test_the_same_input_gives_the_same_bytes(tmp_path):
    first, second = project(tmp_path / "one"), project(tmp_path / "another place")
    bytes_of_first = build(first, {"PYTHONHASHSEED": "1", "LC_ALL": "C"}, 0o022)
    for path in second.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        if path.is_file():
            path.chmod(0o600)
    (second / "src" / "__pycache__").mkdir()
    (second / "src" / "__pycache__" / "main.pyc").write_bytes(b"x")
    (second / "src" / ".hidden").write_text("x")
    (second / "src" / ".#main.py").symlink_to("an editor's lock")
    seeds = [build(second, {"PYTHONHASHSEED": str(n), "LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo"}, 0o077) for n in (2, 3)]
    assert seeds == [bytes_of_first] * 2
    assert stat.S_IMODE((second / "bin" / "hello.pyz").stat().st_mode) == 0o755
    (second / "src" / "helper.py").write_text(HELPER + "\n")
    assert build(second) != bytes_of_first


def test_the_archive_holds_sources_and_their_code_uncompressed(tmp_path):
    folder = project(tmp_path / "p")
    build(folder)
    with zipfile.ZipFile(folder / "bin" / "hello.pyz") as archive:
        assert archive.testzip() is None
        entries = archive.infolist()
        names = [one.filename for one in entries]
        assert names == sorted(names)
        assert {one.compress_type for one in entries} == {zipfile.ZIP_STORED}
        assert {one.date_time for one in entries} == {(1980, 1, 1, 0, 0, 0)}
        assert {"__main__.py", "__main__.pyc", "helper.pyc", "parts/text.txt", "nexus_plugin/session.pyc"} <= set(names)
        assert not {"nexus_plugin/build.py", "nexus_plugin/testing.py", "main.py"} & set(names)
        code = archive.read("helper.pyc")
        assert code[:4] == importlib.util.MAGIC_NUMBER
        assert code[4:8] == b"\x01\0\0\0"  # a hash that is not checked: no source is read at start
        assert code[8:16] == importlib.util.source_hash(archive.read("helper.py"))
        assert str(tmp_path).encode() not in b"".join(archive.read(name) for name in names)


def test_the_built_plugin_runs_alone(tmp_path):
    folder = project(tmp_path / "p")
    build(folder)
    host = Built(folder / "bin" / "hello.pyz")
    host.start()
    host.call(1, "hello_greet", '{"name":"Ada"}')
    assert host.expect("result", 1)["json"].value == {"greeting": "Hello, Ada!", "text": "caf\u00e9"}
    host.send("stop", deadline=FAR)
    host.expect("stopped")
    host.send("dispose")
    host.expect("disposed")
    assert host.ended()[0] == 0
    host.close()


def test_code_of_another_python_is_passed_over(tmp_path):
    folder = project(tmp_path / "p")
    build(folder)
    path = folder / "bin" / "hello.pyz"
    path.write_bytes(path.read_bytes().replace(importlib.util.MAGIC_NUMBER + b"\x01\0\0\0", b"\0\0\r\n\x01\0\0\0"))
    host = Built(path)
    host.start()
    host.call(1, "hello_greet", '{"name":"Ada"}')
    host.expect("result", 1)
    host.close()


def test_manifest_rewrites_the_tools_alone(tmp_path, capsys):
    folder = project(tmp_path / "p")
    assert main([str(folder), "--manifest", "--python", sys.executable]) == 0
    manifest = json.loads((folder / "plugin.json").read_text(encoding="utf-8"))
    assert manifest["description"] == "caf\u00e9"
    assert [one["name"] for one in manifest["tools"]] == ["hello_greet"]
    assert "hello.pyz: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda one: (one / "plugin.json").unlink(), "a plugin's project has a plugin.json"),
        (lambda one: (one / "plugin.json").write_text("{"), "plugin.json is not JSON"),
        (lambda one: (one / "plugin.json").write_text("{}"), 'needs "runtime"'),
        (
            lambda one: (one / "plugin.json").write_text('{"runtime":{"type":"python","executable":"../x"}}'),
            "must be a path inside the project",
        ),
        (lambda one: (one / "src" / "main.py").unlink(), "main.py is missing"),
        (lambda one: (one / "src" / "main.py").write_text("def"), "src/main.py does not compile"),
        (lambda one: (one / "src" / "link.txt").symlink_to("/etc/passwd"), "link.txt is a symbolic link to /etc/p"),
        (lambda one: (one / "src" / "parts" / "more").symlink_to("/etc"), "more is a symbolic link to /etc; the build"),
        (lambda one: (one / "src" / "gone.py").symlink_to("gone"), "gone.py is a symbolic link to gone; the build"),
        (lambda one: (one / "src").rename(one / "away") and (one / "src").symlink_to("away"), "src is a symbolic link"),
        (lambda one: (one / "src" / "fast.so").write_text(""), "compiled code"),
        (lambda one: (one / "src" / "__main__.py").write_text(""), "the build makes __main__.py itself"),
        (lambda one: (one / "src" / "main.py").write_text("1/0"), "ZeroDivisionError"),
    ],
    ids=range(13),
)
def test_what_cannot_be_built_is_named(tmp_path, capsys, change, words):
    folder = project(tmp_path / "p")
    change(folder)
    assert main([str(folder), "--manifest", "--python", sys.executable]) == 1
    assert words in capsys.readouterr().err


def test_describe_prints_the_tools_and_exits_with_0(tmp_path):
    folder = project(tmp_path / "p")
    build(folder)
    command = [sys.executable, "-I", "-B", str(folder / "bin" / "hello.pyz"), "--describe"]
    run = subprocess.run(command, capture_output=True, env={"LC_ALL": "C"})
    assert run.returncode == 0
    assert json.loads(run.stdout)["tools"][0]["name"] == "hello_greet"
