#!/usr/bin/env python3
"""Porter's command line."""

import os
import sys

# Commands that bring a database of their own: they need no settings of a running Porter.
OWN_DATABASE = ("bench", "seed_load", "simulate")
NO_DATABASE = ("read_signals",)  # looks at a file and at nothing else


def main() -> None:
    if sys.argv[1:2] and sys.argv[1] in OWN_DATABASE + NO_DATABASE:
        os.environ.setdefault("PORTER_MODE", "test")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.shell.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
