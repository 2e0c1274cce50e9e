"""Log lines an operator may read: one line a record, and nothing that a patient wrote."""

import logging
import time
import traceback


class LineFormatter(logging.Formatter):
    """`2025-01-31T12:00:00Z ERROR django.request message [KeyError at views.py:12 < urls.py:3]`

    An exception is told by its class and the places it passed, never by its text: a database error quotes the
    row it refused, and a value error quotes the value.
    """

    converter = time.gmtime  # type: ignore[assignment]
    default_time_format = "%Y-%m-%dT%H:%M:%SZ"
    default_msec_format = None

    def format(self, record: logging.LogRecord) -> str:
        line = f"{self.formatTime(record)} {record.levelname} {record.name} {self.words(record)}"
        if isinstance(record.exc_info, tuple) and record.exc_info[0] is not None:
            line += f" [{told(record.exc_info[1])}]"
        return line

    def words(self, record: logging.LogRecord) -> str:
        if record.name == "django-q" and record.levelno >= logging.ERROR:
            # django-q writes the whole traceback of a failed task into its message.
            return record.getMessage().partition("\n")[0].partition(" - ")[0]
        return " ".join(record.getMessage().splitlines())


def told(error: BaseException | None) -> str:
    """The class of an exception and the last places it passed, innermost first."""
    if error is None:
        return "unknown"
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = " < ".join(f"{'/'.join(f.filename.split('/')[-2:])}:{f.lineno}" for f in reversed(frames))
    return f"{type(error).__name__} at {places}" if places else type(error).__name__
