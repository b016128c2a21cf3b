#!/usr/bin/python3
"""Drives the simulator with three clients that were written for the real exchange, and with hostile requests.

    swift build --product exchange-simulator
    /usr/bin/python3 Plugins/crypto-bot/Simulator/checks/real_clients.py [--venvs DIR] [--only hostile]

Each client has a virtual environment of its own (python-binance and binance-connector claim the same module name).
With --venvs they are kept in DIR for the next run; without it they are made in a temporary directory and removed.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # before our own modules: the source tree stays clean

import hostile
from simulator import Simulator

HERE = pathlib.Path(__file__).resolve().parent
CLIENTS = {
    "ccxt": ("ccxt==4.5.90", "client_ccxt.py"),
    "python-binance": ("python-binance==1.0.37", "client_python_binance.py"),
    "binance-connector": ("binance-connector==3.13.0", "client_binance_connector.py"),
}


def interpreter(folder, package):
    """The Python of the client's environment, made if it is missing."""
    python = folder / "bin" / "python"
    if subprocess.run([python, "-m", "pip", "show", "-q", package.split("==")[0]],
                      stderr=subprocess.DEVNULL).returncode if python.exists() else True:
        subprocess.run(["/usr/bin/python3", "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", package], check=True)
    return python


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--simulator", default=HERE.parents[3] / ".build/debug/exchange-simulator")
    arguments.add_argument("--venvs", type=pathlib.Path)
    arguments.add_argument("--only", choices=[*CLIENTS, "hostile"])
    options = arguments.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory() as temporary:
        for name, (package, script) in CLIENTS.items():
            if options.only not in (None, name):
                continue
            python = interpreter((options.venvs or pathlib.Path(temporary)) / name, package)
            with Simulator(options.simulator) as simulator:
                environment = {
                    **os.environ, "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1", "PYTHONDONTWRITEBYTECODE": "1"}
                result = subprocess.run([python, HERE / script, simulator.url], env=environment, timeout=300)
            failures += result.returncode != 0
            print(f"{'ok  ' if result.returncode == 0 else 'FAIL'} {package}", flush=True)
    if options.only in (None, "hostile"):
        try:
            print(f"ok   {hostile.run(options.simulator)} raw requests", flush=True)
        except AssertionError as failure:
            failures += 1
            print(f"FAIL {failure}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
