"""The SDK's tables are those of sdk/spec/abi-v1.json."""

from vectors import load

from nexus_plugin import abi

SCHEMA = load("abi-v1.json")


def test_limits():
    names = {
        "".join(f"_{c}" if c.isupper() else c for c in one["name"]).upper(): one["value"] for one in SCHEMA["limits"]
    }
    assert {name: getattr(abi, name) for name in names} == names


def test_kinds():
    assert {one["name"]: (one["number"], one["sender"], one["stream"]) for one in SCHEMA["kinds"]} == abi.KINDS


def test_fields():
    def fields(entries):
        return tuple((one["tag"], one["name"], one["type"], one["required"]) for one in entries)

    assert {one["name"]: fields(one["fields"]) for one in SCHEMA["kinds"] if one["fields"]} == abi.FIELDS
    assert fields(SCHEMA["credential"]) == abi.CREDENTIAL_FIELDS


def test_states():
    assert {one["name"]: one["deadline"] for one in SCHEMA["states"]} == abi.STATES
    assert {one["name"] for one in SCHEMA["states"] if one["final"]} == abi.FINAL


def test_moves():
    assert {(one["state"], one["message"]): one["next"] for one in SCHEMA["moves"]} == abi.MOVES


def test_traffic():
    allowed = {kind: frozenset(one["states"]) for one in SCHEMA["traffic"] for kind in one["messages"]}
    assert allowed == abi.TRAFFIC


def test_errors():
    assert {one["code"]: (one["retryable"], one["endsSession"]) for one in SCHEMA["errors"]} == abi.ERRORS
