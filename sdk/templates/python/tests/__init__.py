"""Puts the plugin's sources and the SDK on the path: an installed nexus-plugin, else the one that sdk.path names."""

import importlib.util
import pathlib
import sys

PROJECT = pathlib.Path(__file__).resolve().parent.parent

sys.path.insert(0, str(PROJECT / "src"))
if importlib.util.find_spec("nexus_plugin") is None:
    sys.path.append(str(PROJECT / (PROJECT / "sdk.path").read_text(encoding="utf-8").strip()))
