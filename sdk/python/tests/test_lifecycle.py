"""The lifecycle and the negotiation by the shared vectors."""

import pytest
from vectors import load

from nexus_plugin.abi import KINDS
from nexus_plugin.errors import ABIError
from nexus_plugin.lifecycle import DELIVER, Lifecycle, belongs, check_version, highest_common

LIFE = load("vectors/lifecycle.json")
STREAMS = {"session": 0, "odd": 1, "even": 2}


def in_state(state):
    life = Lifecycle()
    for kind in LIFE["reach"][state]:
        side, place = LIFE["places"][kind][0].split("/")
        life.advance(kind, STREAMS[place], side)
    assert life.state == state
    return life


@pytest.mark.parametrize("vector", LIFE["vectors"], ids=lambda one: one["name"])
def test_each_message_in_each_state(vector):
    life = in_state(vector["state"])
    side, place = vector["place"].split("/")
    if vector["outcome"] == "refused":
        with pytest.raises(ABIError, match="unexpected-message"):
            life.advance(vector["kind"], STREAMS[place], side)
        assert life.state == (vector["state"] if vector["state"] == "disposed" else "failed")
    else:
        assert life.advance(vector["kind"], STREAMS[place], side) == vector["outcome"]
        assert life.state == (vector["state"] if vector["outcome"] == DELIVER else vector["outcome"])


def test_each_kind_belongs_where_the_vectors_say_and_nowhere_else():
    for kind in KINDS:
        found = {
            f"{side}/{place}" for side in ("host", "plugin") for place in STREAMS if belongs(kind, STREAMS[place], side)
        }
        assert found == set(LIFE["places"][kind]), kind


@pytest.mark.parametrize("vector", load("vectors/negotiation.json")["vectors"], ids=lambda one: one["name"])
def test_negotiation(vector):
    host, plugin = tuple(vector["host"]), tuple(vector["plugin"])
    if "version" in vector:
        assert highest_common(host, plugin) == vector["version"]
    else:
        with pytest.raises(ABIError) as caught:
            highest_common(host, plugin)
        assert (caught.value.code, caught.value.message) == (vector["error"], vector["message"])


def test_a_version_that_was_not_offered_is_refused():
    check_version(1)
    for version in (0, 2, 4_294_967_295):
        with pytest.raises(ABIError, match="no-common-version"):
            check_version(version)
