"""The life of one session as a value, and the negotiation of its version. Both sides run the same table."""

from __future__ import annotations

from .abi import FINAL, HOST, KINDS, MOVES, PLUGIN, TRAFFIC, VERSIONS
from .errors import ABIError

DELIVER = "deliver"


def belongs(kind: str, stream: int, side: str) -> bool:
    """May `side` send `kind` on this stream at all? Odd streams are the host's, even ones the plugin's."""
    _, sender, place = KINDS[kind]
    if sender not in ("both", side):
        return False
    if stream == 0:
        return place in ("session", "session-or-peer") or (place == "peer-or-session" and side == PLUGIN)
    owner = HOST if stream % 2 else PLUGIN
    return owner == side if place == "own" else place != "session" and owner != side


class Lifecycle:
    """Judges every frame, sent or received. Whether its stream is open is the session's to know."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state = "created"

    def advance(self, kind: str, stream: int, side: str) -> str:
        """The next state, or `DELIVER` where none changes.

        Raises ABIError `unexpected-message` for a frame that has no place here; the state is then `failed`.
        """
        if not belongs(kind, stream, side):
            raise self._refuse(f"{kind} from the {side} does not belong on stream {stream}")
        if kind == "abort" and self.state not in FINAL:
            self.state = "failed"
            return self.state
        next_state = MOVES.get((self.state, kind)) if stream == 0 else None
        if next_state is not None:
            self.state = next_state
            return next_state
        if self.state in TRAFFIC.get(kind, ()) and (kind != "error" or stream != 0):
            return DELIVER
        raise self._refuse(f"{kind} on stream {stream} is not allowed while the plugin is {self.state}")

    def fail(self) -> None:
        """The peer broke the rules, or it is gone."""
        if self.state not in FINAL:
            self.state = "failed"

    def _refuse(self, reason: str) -> ABIError:
        self.fail()
        return ABIError("unexpected-message", reason)


def span(versions: tuple[int, int]) -> str:
    return str(versions[0]) if versions[0] == versions[1] else f"{versions[0]}–{versions[1]}"


def highest_common(host: tuple[int, int], plugin: tuple[int, int]) -> int:
    """The highest version that both speak.

    Raises ABIError `no-common-version`, in words that name both ranges and the side to update.
    """
    if plugin[0] < 1 or plugin[0] > plugin[1]:
        raise ABIError("malformed-frame", f"the plugin offers the empty version range {plugin[0]}–{plugin[1]}")
    version = min(host[1], plugin[1])
    if version < max(host[0], plugin[0]):
        older = "the plugin" if plugin[1] < host[0] else "Nexus"
        raise ABIError(
            "no-common-version", f"the host speaks ABI {span(host)}, the plugin ABI {span(plugin)}; update {older}"
        )
    return version


def check_version(version: int) -> None:
    """Raises ABIError `no-common-version` for a version that this package did not offer."""
    if not VERSIONS[0] <= version <= VERSIONS[1]:
        raise ABIError("no-common-version", f"the host chose ABI {version}; this plugin speaks {span(VERSIONS)}")
