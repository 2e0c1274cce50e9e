"""Log lines tell where something broke, never what a patient wrote."""

import logging
import sys

from portal.shell.logs import LineFormatter


def line(message, *args, name="porter", level=logging.ERROR, exc_info=None):
    return LineFormatter().format(logging.LogRecord(name, level, "f.py", 1, message, args, exc_info))


def test_an_exception_is_told_by_its_class_and_place():
    try:
        raise ValueError("Ana Pérez has a rash")
    except ValueError:
        told = line("Internal Server Error: %s", "/requests/", exc_info=sys.exc_info())
    assert "ValueError at shell/test_logs.py:" in told
    assert "rash" not in told


def test_a_record_is_one_line():
    assert "\n" not in line("first\nsecond")


def test_a_failed_task_is_told_without_its_traceback():
    told = line(
        "Failed 'due clock' (queues.tasks.sweep) - rash : Traceback …\nValueError: rash", name="django-q"
    )
    assert "queues.tasks.sweep" in told
    assert "rash" not in told
