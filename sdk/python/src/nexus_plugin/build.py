"""Makes a plugin's project one file that the host can run: a zip application with the SDK inside.

    python3 -m nexus_plugin.build DIR              builds what DIR/plugin.json names under runtime.executable
    python3 -m nexus_plugin.build DIR --manifest   first rewrites `tools` in plugin.json from --describe

The project's modules are DIR/src; it starts in DIR/src/main.py, which becomes `__main__.py` of the archive. The same
input gives the same bytes, whatever the times and modes of its files, the umask, the locale and the hash seed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from .errors import NexusError
from .zipped import archive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ENTRY = "main.py"
_RUNTIME = "/usr/bin/python3"
_SDK = Path(__file__).resolve().parent
#: Parts of the SDK that no running plugin needs.
_TOOLS = {"build.py", "fakes.py", "testing.py", "zipped.py"}
# Compiles in a process that nothing of this one reaches, so that the bytes depend on the sources alone: names, sources
# and code go through pipes, paths are those inside the archive, and the hash seed is fixed.
_COMPILER = """
import importlib.util, json, marshal, sys
sources = json.load(sys.stdin)
compiled = {}
for name in sorted(sources):
    source = sources[name].encode("utf-8")
    code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    header = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(source)
    compiled[name + "c"] = (header + marshal.dumps(code)).hex()
json.dump({"version": sys.version.split()[0], "compiled": compiled}, sys.stdout)
"""


class BuildError(NexusError):
    """The project cannot be built; the message says what to change."""


def read_manifest(project: Path) -> dict[str, Any]:
    path = project / "plugin.json"
    try:
        manifest = json.loads(path.read_bytes())
    except OSError as error:
        raise BuildError(f"cannot read {path}: {error.strerror}; a plugin's project has a plugin.json") from None
    except ValueError as error:
        raise BuildError(f"{path} is not JSON: {error}") from None
    runtime = manifest.get("runtime", {}) if isinstance(manifest, dict) else {}
    executable = runtime.get("executable") if isinstance(runtime, dict) else None
    if not isinstance(executable, str) or runtime.get("type") != "python":
        raise BuildError(
            f'{path}: needs "runtime": {{"type": "python", "executable": "bin/NAME.pyz"}}, found {json.dumps(runtime)}'
        )
    parts = executable.split("/")
    if any(part in ("", ".", "..") for part in parts) or parts[0] == "src":
        raise BuildError(f'{path}: runtime.executable "{executable}" must be a path inside the project, not in src')
    found: dict[str, Any] = manifest
    return found


def sources(project: Path) -> dict[str, bytes]:
    """Everything that goes into the archive, by its path there, in their order."""
    root = project / "src"
    if not (root / ENTRY).is_file():
        raise BuildError(f"{root / ENTRY} is missing: a plugin starts there; make it call plugin.run()")
    files = {f"nexus_plugin/{path.name}": path.read_bytes() for path in _SDK.glob("*.py") if path.name not in _TOOLS}
    for path in (root, *root.rglob("*")):
        name = path.relative_to(root).as_posix()
        parts = name.split("/")
        if path is not root and ("__pycache__" in parts or any(part.startswith(".") for part in parts)):
            continue
        if path.is_symlink():
            raise BuildError(
                f"{path} is a symbolic link to {os.readlink(path)}; the build follows none: put the file itself there"
            )
        if not path.is_file():
            continue
        if path.suffix in (".so", ".pyd"):
            raise BuildError(f"{path} is compiled code, which cannot be loaded from a plugin's one file; leave it out")
        if name == "__main__.py" or parts[0] == "nexus_plugin":
            raise BuildError(f"{path}: the build makes {parts[0]} itself; rename yours")
        if path.suffix != ".pyc":
            files["__main__.py" if name == ENTRY else name] = _checked(name, path.read_bytes())
    return dict(sorted(files.items()))


def _checked(name: str, data: bytes) -> bytes:
    """A file as it is. Raises BuildError for a module that does not compile, in the words of the compiler."""
    if name.endswith(".py"):
        try:
            compile(data.decode(), f"src/{name}", "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            raise BuildError(f"src/{name} does not compile: {error}") from None
    return data


def compiled(files: dict[str, bytes], python: str) -> tuple[dict[str, bytes], str]:
    """The compiled modules beside their sources, and the version of Python that they are for."""
    texts = {name: data.decode() for name, data in files.items() if name.endswith(".py")}
    run = subprocess.run(
        [python, "-S", "-s", "-B", "-c", _COMPILER],
        input=json.dumps(texts).encode(),
        capture_output=True,
        cwd="/",
        env={"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    if run.returncode != 0:
        raise BuildError(f"{python} could not compile the modules: {run.stderr.decode('utf-8', 'replace')[-500:]}")
    answer = json.loads(run.stdout)
    return {name: bytes.fromhex(code) for name, code in answer["compiled"].items()}, answer["version"]


def build(project: Path, python: str) -> tuple[Path, str]:
    """Writes the zip application; its path, and the version of Python for which it starts fastest."""
    manifest = read_manifest(project)
    files = sources(project)
    codes, version = compiled(files, python)
    target = project.joinpath(*manifest["runtime"]["executable"].split("/"))
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(target.name + ".new")
    temporary.write_bytes(archive({**files, **codes}))
    os.chmod(temporary, 0o755)
    os.replace(temporary, target)
    return target, version


def describe(project: Path, python: str) -> list[dict[str, Any]]:
    """The tools as the project's own code describes them."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment["PYTHONPATH"] = os.pathsep.join((str(project / "src"), str(_SDK.parent)))
    command = [python, "-B", str(project / "src" / ENTRY), "--describe"]
    run = subprocess.run(command, capture_output=True, env=environment, stdin=subprocess.DEVNULL, check=False)
    try:
        tools = json.loads(run.stdout)["tools"]
        if run.returncode == 0 and isinstance(tools, list):
            return tools
    except (ValueError, KeyError, TypeError):
        pass
    said = (run.stderr or run.stdout).decode("utf-8", "replace").strip()[-2_000:]
    raise BuildError(f"src/{ENTRY} --describe failed; it must end with plugin.run() and print nothing itself:\n{said}")


def rewrite_tools(project: Path, python: str) -> None:
    manifest = read_manifest(project)
    sources(project)  # its errors say more than those of a program that does not start
    manifest["tools"] = describe(project, python)
    path = project / "plugin.json"
    temporary = path.with_name("plugin.json.new")
    temporary.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(temporary, path)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m nexus_plugin.build", description="Builds a Python plugin.")
    parser.add_argument("project", type=Path, help="the folder with plugin.json and src/main.py")
    parser.add_argument("--manifest", action="store_true", help="rewrite tools in plugin.json from the plugin's code")
    default = _RUNTIME if os.path.exists(_RUNTIME) else sys.executable
    parser.add_argument("--python", default=default, help="compile for this Python (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        if options.manifest:
            rewrite_tools(options.project.resolve(), options.python)
        target, version = build(options.project.resolve(), options.python)
    except (NexusError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{os.path.relpath(target)}: {target.stat().st_size:,} bytes, compiled for Python {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
