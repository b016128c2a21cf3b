"""A zip archive written by hand: stored, in order, with nothing in it that comes from outside.

The standard zipfile records the creating system and version; the same bytes from any Python are worth these lines.
"""

from __future__ import annotations

import struct
import zlib

# 1980-01-01 00:00, the first moment that a zip knows.
_DATE, _TIME = (0 << 9) | (1 << 5) | 1, 0
_VERSION, _UNIX, _UTF8 = 20, 3, 0x0800
_MODE = 0o100644 << 16
_INTERPRETER = b"#!/usr/bin/python3\n"


def archive(files: dict[str, bytes]) -> bytes:
    """The bytes of a zip application with these files, sorted by name."""
    output = bytearray(_INTERPRETER)
    directory = bytearray()
    for name in sorted(files):
        data, path = files[name], name.encode()
        place = len(output)
        common = struct.pack(
            "<HHHHHIIIHH", _VERSION, _UTF8, 0, _TIME, _DATE, zlib.crc32(data), len(data), len(data), len(path), 0
        )
        output += b"PK\x03\x04" + common + path + data
        made_by = struct.pack("<H", _UNIX << 8 | _VERSION)
        directory += b"PK\x01\x02" + made_by + common + struct.pack("<HHHII", 0, 0, 0, _MODE, place) + path
    start = len(output)
    output += directory
    output += b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, len(files), len(files), len(directory), start, 0)
    return bytes(output)
