"""What an author says about a parameter beside its type."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Field:
    """For `Annotated[T, Field("Whom to greet", min_length=1)]`. The description is what an agent reads.

    Lengths count Unicode characters. Raises ValueError for bounds that no value meets.
    """

    __slots__ = ("bounds", "notes")

    def __init__(
        self,
        description: str = "",
        *,
        title: str | None = None,
        examples: list[Any] | None = None,
        minimum: float | None = None,
        maximum: float | None = None,
        exclusive_minimum: float | None = None,
        exclusive_maximum: float | None = None,
        min_length: int | None = None,
        max_length: int | None = None,
        min_items: int | None = None,
        max_items: int | None = None,
        unique_items: bool | None = None,
        min_properties: int | None = None,
        max_properties: int | None = None,
    ) -> None:
        bounds = {
            "minimum": minimum,
            "maximum": maximum,
            "exclusiveMinimum": exclusive_minimum,
            "exclusiveMaximum": exclusive_maximum,
            "minLength": min_length,
            "maxLength": max_length,
            "minItems": min_items,
            "maxItems": max_items,
            "uniqueItems": unique_items,
            "minProperties": min_properties,
            "maxProperties": max_properties,
        }
        notes = {"title": title, "description": description or None, "examples": examples}
        self.bounds: dict[str, Any] = {keyword: value for keyword, value in bounds.items() if value is not None}
        self.notes: dict[str, Any] = {keyword: value for keyword, value in notes.items() if value is not None}
        for least, most in (("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")):
            if least in self.bounds and most in self.bounds and self.bounds[least] > self.bounds[most]:
                raise ValueError(f"Field: {least} {self.bounds[least]} is above {most} {self.bounds[most]}")
        for keyword in ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"):
            if self.bounds.get(keyword, 0) < 0 or not isinstance(self.bounds.get(keyword, 0), int):
                raise ValueError(f"Field: {keyword} must be an integer from 0, found {self.bounds[keyword]!r}")
