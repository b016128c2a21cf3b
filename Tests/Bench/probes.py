#!/usr/bin/env python3
"""What each sandbox lets through: nexus-sandbox-probe on the bare host, in bwrap, firejail, sandlock and Nexus.

Usage: probes.py BINARIES [OUT.json]. Each peer is asked for what it has to offer against a hostile program: no network,
a tree of its own or little of the host's, an empty environment, limits where it has some. A descriptor and a variable
are leaked to each on purpose.
"""
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NOBODY = 65534
LIMIT_SECONDS = 120
MEMORY, PROCESSES, FILES = 64 << 20, 32, 64

SANDLOCK = """
import sys
from sandlock import Sandbox
box = Sandbox(fs_readable=["/usr", "/lib", "/lib64", "/bin", "/etc", "/proc", "/dev", sys.argv[1]],
              fs_writable=["/tmp"], clean_env=True, no_coredump=True, max_memory="64M", max_processes=32,
              max_open_files=64)
result = box.run([sys.argv[1]])
sys.stdout.buffer.write(result.stdout)
"""


def fail(reason):
    sys.exit(f"bench: {reason}")


def sandlock_python():
    """sandlock from PyPI, in an environment of its own."""
    folder = os.path.join(ROOT, ".build", "venv-sandlock")
    python = os.path.join(folder, "bin", "python")
    if not os.path.exists(python):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, stdout=subprocess.DEVNULL)
    if subprocess.run([python, "-c", "import sandlock"], stderr=subprocess.DEVNULL).returncode != 0:
        if subprocess.run([python, "-m", "pip", "install", "-q", "sandlock"]).returncode != 0:
            fail("sandlock could not be installed from PyPI")
    return python


def commands(probe):
    bwrap = shutil.which("bwrap") or fail("bwrap is missing; install the Debian package bubblewrap")
    firejail = shutil.which("firejail") or fail("firejail is missing; install the Debian package firejail")
    return {
        "host": [probe],
        "bwrap": [bwrap, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--ro-bind", "/usr",
                  "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--symlink", "usr/bin",
                  "/bin", "--proc", "/proc", "--dev", "/dev", "--size", str(16 << 20), "--tmpfs", "/tmp",
                  "--ro-bind", probe, "/probe", "--", "/probe"],
        "firejail": [firejail, "--quiet", "--noprofile", "--seccomp", "--caps.drop=all", "--nonewprivs", "--noroot",
                     "--net=none", "--private", "--private-dev", f"--rlimit-as={MEMORY}",
                     f"--rlimit-nproc={PROCESSES}", f"--rlimit-nofile={FILES}", "--rlimit-fsize=16777216", "--", probe],
        "sandlock": ["/usr/bin/python3", "-c", SANDLOCK, probe],
    }


def as_user(words, user):
    if user == os.geteuid():
        return words
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] + words


def run(words, user, packages=None):
    environment = {"PATH": os.environ["PATH"], "NEXUS_SECRET": "leaked"}
    if packages:
        environment["PYTHONPATH"] = packages
    leaked = os.open("/etc/hostname", os.O_RDONLY)
    os.set_inheritable(leaked, True)
    try:
        return subprocess.run(as_user(words, user), capture_output=True, text=True, timeout=LIMIT_SECONDS, cwd="/",
                              env=environment, pass_fds=[leaked], stdin=subprocess.DEVNULL)
    finally:
        os.close(leaked)


def findings(name, done):
    """{act: {"held", "detail", "group"}}; fails when the probe did not come to its end."""
    found = {}
    for line in done.stdout.splitlines():
        parts = line.split("\t")
        if len(parts) == 5:
            act, group, _, verdict, detail = parts
            if verdict == "apart":
                fail(f"{name} makes no child processes: {act} is to be run alone there")
            found[act] = {"held": verdict != "open", "detail": detail, "group": group}
        elif parts[0] == "end" and int(parts[1]) == len(found):
            return found
    fail(f"the probe did not come to its end in {name}: status {done.returncode}\n{done.stderr[-1000:]}")


def ours(binaries, user):
    done = run([f"{binaries}/nexus", "sandbox", "probe", "--json"], user)
    if done.returncode not in (0, 1):
        fail(f"nexus sandbox probe: status {done.returncode}\n{done.stderr[-1000:]}")
    return {act["name"]: {key: act[key] for key in ("held", "detail", "group")}
            for act in json.loads(done.stdout)["findings"]}


def measure(binaries, user):
    """{sandbox: {act: finding}} as one user."""
    python = sandlock_python()
    with tempfile.TemporaryDirectory(prefix="nexus-probes-") as folder:
        os.chmod(folder, 0o755)
        for name in ("nexus", "nexus-jail", "nexus-sandbox-probe"):
            source = os.path.join(binaries, name)
            if not os.path.exists(source):
                fail(f"there is no {source}; run: make build")
            shutil.copy(source, folder)
        site = subprocess.run([python, "-c", "import sandlock; print(sandlock.__path__[0])"], check=True,
                              capture_output=True, text=True).stdout.strip()
        shutil.copytree(os.path.dirname(site), f"{folder}/packages", symlinks=True)
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        probe = f"{folder}/nexus-sandbox-probe"
        table = {}
        for name, words in commands(probe).items():
            done = run(words, user, f"{folder}/packages" if name == "sandlock" else None)
            # A set-user-id program that serves users with a name and a home only.
            if "not allowed to use Firejail" not in done.stderr:
                table[name] = findings(name, done)
        table["nexus"] = ours(folder, user)
        return table


def summary(table):
    return {name: {"tried": len(found), "open": sum(not act["held"] for act in found.values())}
            for name, found in table.items()}


def show(tables):
    for user, table in tables.items():
        names = list(table)
        print(f"\nways out that are open, as {user} ({len(table['host'])} tried)")
        print(f"{'group':<12}" + "".join(f"{name:>10}" for name in names))
        groups = list(dict.fromkeys(act["group"] for act in table["host"].values()))
        for group in groups:
            counts = [collections.Counter(act["group"] for act in table[name].values() if not act["held"])[group]
                      for name in names]
            print(f"{group:<12}" + "".join(f"{count:>10}" for count in counts))
        print(f"{'all':<12}" + "".join(f"{summary(table)[name]['open']:>10}" for name in names))


def run_all(binaries):
    users = [0, NOBODY] if os.geteuid() == 0 else [os.geteuid()]
    tables = {"root" if user == 0 else str(user): measure(binaries, user) for user in users}
    show(tables)
    for user, table in tables.items():
        lost = [act for act, found in table["nexus"].items() if not found["held"]]
        if lost:
            fail(f"as {user} Nexus lets through: {', '.join(lost)}")
    return {user: {"counts": summary(table), "acts": table} for user, table in tables.items()}


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        fail("usage: probes.py BINARIES [OUT.json]")
    result = run_all(os.path.abspath(sys.argv[1]))
    if len(sys.argv) == 3:
        with open(sys.argv[2], "w") as output:
            json.dump(result, output, indent=2)
            output.write("\n")
