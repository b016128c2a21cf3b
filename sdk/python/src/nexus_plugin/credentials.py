"""Secrets that a call was lent. They show themselves nowhere and are overwritten when the call ends (ABI-9.4, 9.5)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


class Credential:
    """One secret. `text()` and `bytes` reveal it; every other rendering shows only its name.

    Python cannot overwrite a `str`, so prefer `bytes`, and pass the credential itself where the SDK takes one, as in
    the headers of `call.http`.
    """

    __slots__ = ("_value", "name")

    def __init__(self, name: str, value: bytes | bytearray | memoryview) -> None:
        self.name = name
        self._value: bytearray | None = bytearray(value)

    @property
    def bytes(self) -> memoryview:
        """The secret itself, not a copy; read-only. It turns to zeros when the call ends."""
        return memoryview(self._require()).toreadonly()

    def text(self) -> str:
        """The secret as text. Raises ValueError if it is not UTF-8, without showing it."""
        try:
            return self._require().decode()
        except UnicodeDecodeError:
            raise ValueError(f"the credential {self.name} is not UTF-8; use .bytes") from None

    def wipe(self) -> None:
        """Overwrites the secret. The SDK does it when the call ends."""
        if self._value is not None:
            self._value[:] = bytes(len(self._value))
            self._value = None

    def _require(self) -> bytearray:
        if self._value is None:
            raise ValueError(f"the credential {self.name} was overwritten: its call has ended")
        return self._value

    def __len__(self) -> int:
        return len(self._require())

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<credential {self.name}>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"the credential {self.name} cannot be pickled or copied")

    __reduce__ = __copy__ = __deepcopy__ = __reduce_ex__  # type: ignore[assignment]


def scrubbed(text: str, credentials: dict[str, Credential]) -> str:
    """Text that may quote a credential, such as an exception's, without it (ABI-9.5)."""
    for credential in credentials.values():
        value = credential._value
        if value and len(value) >= 4:
            secret = value.decode("utf-8", "surrogateescape")
            for form in (secret, repr(secret)[1:-1], repr(bytes(value))[2:-1]):
                text = text.replace(form, repr(credential))
    return text
