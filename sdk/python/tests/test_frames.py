"""Frames and messages by the shared vectors, cut at every byte, and overwritten after use."""

from __future__ import annotations

import random

import pytest
from vectors import load, read, written

from nexus_plugin.abi import BODY_BYTES
from nexus_plugin.errors import ABIError
from nexus_plugin.frames import Decoder, header
from nexus_plugin.messages import decode, encode

VECTORS = load("vectors/frames.json")["vectors"]
VALID = [one for one in VECTORS if "frames" in one]
INVALID = [one for one in VECTORS if one.get("error") not in (None, "incomplete")]
INCOMPLETE = [one for one in VECTORS if one.get("error") == "incomplete"]


def by_name(vector):
    return vector["name"]


def decoder(vector):
    return Decoder(vector.get("bodyLimit", BODY_BYTES))


def drain(one, data):
    one.feed(data)
    frames = []
    frame = one.next()
    while frame is not None:
        frames.append((frame.kind, frame.stream, bytes(frame.body)))
        frame = one.next()
    return frames


@pytest.mark.parametrize("vector", VALID, ids=by_name)
def test_valid_frames_say_what_the_vectors_say(vector):
    one = decoder(vector)
    one.feed(bytes.fromhex(vector["hex"]))
    for wanted in vector["frames"]:
        frame = one.next()
        assert (frame.kind, str(frame.stream)) == (wanted["kind"], wanted["stream"])
        assert written(frame.kind, decode(frame)) == wanted["message"]
    assert one.next() is None
    assert one.pending == 0


@pytest.mark.parametrize("vector", [one for one in VALID if one.get("canonical", True)], ids=by_name)
def test_encoding_gives_the_same_bytes(vector):
    data = b"".join(
        encode(one["kind"], int(one["stream"]), read(one["kind"], one["message"])) for one in vector["frames"]
    )
    assert data.hex() == vector["hex"]


@pytest.mark.parametrize("vector", INVALID, ids=by_name)
def test_invalid_frames_get_their_code_where_it_shows(vector):
    one = decoder(vector)
    one.feed(bytes.fromhex(vector["hex"]))
    if vector["at"] == "header":
        with pytest.raises(ABIError) as caught:
            one.next()
    else:
        frame = one.next()
        with pytest.raises(ABIError) as caught:
            decode(frame)
    assert caught.value.code == vector["error"]


@pytest.mark.parametrize("vector", INCOMPLETE, ids=by_name)
def test_incomplete_frames_are_awaited(vector):
    one = decoder(vector)
    one.feed(bytes.fromhex(vector["hex"]))
    assert one.next() is None


@pytest.mark.parametrize("vector", VALID, ids=by_name)
def test_a_cut_at_any_byte_gives_the_same_frames(vector):
    data = bytes.fromhex(vector["hex"])
    whole = drain(decoder(vector), data)
    for cut in range(min(len(data), 400)):
        one = decoder(vector)
        assert drain(one, data[:cut]) + drain(one, data[cut:]) == whole


def test_random_cuts_give_the_same_frames():
    rolls = random.Random(20261121)
    data = bytes.fromhex("".join(one["hex"] for one in VALID))
    whole = drain(Decoder(BODY_BYTES), data)
    for _ in range(60):
        one, position, frames = Decoder(BODY_BYTES), 0, []
        while position < len(data):
            count = rolls.choice((1, 2, 7, 16, 17, 300, 70_000))
            frames += drain(one, data[position : position + count])
            position += count
        assert frames == whole


def test_random_bytes_raise_nothing_but_abi_errors():
    rolls = random.Random(7)
    samples = [bytearray.fromhex(one["hex"]) for one in VALID if one["hex"]]
    for _ in range(4_000):
        data = bytearray(rolls.choice(samples))
        for _ in range(rolls.randrange(1, 6)):
            data[rolls.randrange(len(data))] = rolls.choice((0, 1, 0x80, 0xFF, rolls.randrange(256)))
        one = Decoder(BODY_BYTES)
        one.feed(data)
        try:
            frame = one.next()
            while frame is not None:
                decode(frame)
                frame = one.next()
        except ABIError:
            pass


def test_a_refused_header_is_judged_before_its_body_and_for_ever():
    one = Decoder()
    one.feed(header("call", 1, 4_097))
    for _ in range(2):
        with pytest.raises(ABIError, match="frame-too-large"):
            one.next()
    one.feed(b"x" * 10)
    assert one.pending == 0


def test_a_body_at_the_limit_arrives_in_any_pieces():
    body = b"\x01\x00" + (BODY_BYTES - 6).to_bytes(4, "little") + b"x" * (BODY_BYTES - 6)
    data = header("result", 1, len(body)) + body
    one, frames = Decoder(BODY_BYTES), []
    for start in range(0, len(data), 65_536):
        frames += drain(one, data[start : start + 65_536])
    assert frames == [("result", 1, body)]
    assert len(one._buffer) <= 1 << 20


def test_what_was_handed_out_is_overwritten():
    one = Decoder(BODY_BYTES)
    secret = b"s3cr3t-value-of-a-credential"
    one.feed(header("pong", 0, len(secret)) + secret + b"\x01")
    buffer = one._buffer
    frame = one.next()
    assert bytes(frame.body) == secret
    assert secret not in buffer
    assert one.pending == 1


def test_growing_leaves_no_copy_behind():
    one = Decoder(BODY_BYTES)
    secret = b"s3cr3t-value-of-a-credential"
    one.feed(header("pong", 0, 200_000) + secret)
    old = one._buffer
    one.feed(b"x" * 100_000)
    assert one._buffer is not old
    assert secret not in old
    assert secret in one._buffer
    one.clear()
    assert secret not in one._buffer
