"""Whole conversations: the vector plugin, in threads and in asyncio, answers as the shared transcripts say."""

import json

import pytest
import vector_plugin
from vectors import load, read, written
from wire_host import Threaded

TRANSCRIPTS = [one for one in load("vectors/transcripts.json")["transcripts"] if one.get("wrong") != "plugin"]


def differs(wanted, found):
    for name, value in wanted.items():
        if name == "length":
            if len(found["hex"]) != 2 * value:
                return True
        elif name in ("json", "fields", "arguments", "configuration"):
            if json.loads(value) != json.loads(found[name]):
                return True
        elif found[name] != value:
            return True
    return False


@pytest.mark.parametrize("make", [vector_plugin.threaded, vector_plugin.asynchronous], ids=["threads", "asyncio"])
@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda one: one["name"])
def test_transcript(transcript, make):
    host = Threaded(make())
    try:
        for step in transcript["steps"]:
            kind, stream = step["kind"], int(step["stream"])
            if step["from"] == "host":
                host.send(kind, stream, **read(kind, step["message"]))
                continue
            found = host.receive()
            assert found[:2] == (kind, stream), (step, found)
            assert not differs(step["message"], written(kind, found[2])), (step, written(kind, found[2]))
        last = transcript["steps"][-1]["kind"]
        assert host.ended() == (0 if last == "disposed" else 1)
    finally:
        host.close()
