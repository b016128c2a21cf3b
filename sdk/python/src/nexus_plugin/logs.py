"""The standard `logging`, to the host."""

from __future__ import annotations

import logging

from .running import current_call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .plugin import Plugin


class LogHandler(logging.Handler):
    """Sends records to the host: `logging.getLogger().addHandler(LogHandler(plugin))`.

    A record made while a tool runs belongs to its call. `extra={"fields": {..}}` become the record's fields.
    """

    def __init__(self, plugin: Plugin, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self._plugin = plugin

    def emit(self, record: logging.LogRecord) -> None:
        try:
            level = {10: "debug", 20: "info", 30: "warning"}.get(min(record.levelno // 10 * 10, 40), "error")
            fields = {"logger": record.name, **getattr(record, "fields", {})}
            call = current_call.get()
            (self._plugin if call is None else call).log(level, self.format(record), **fields)
        except Exception:
            self.handleError(record)
