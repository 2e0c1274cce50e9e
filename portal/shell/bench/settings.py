"""The settings of the server that is measured: production's own, with the yardsticks beside Porter's addresses."""

import os
from typing import Any

from portal.shell import settings
from portal.shell.environment import stop
from portal.shell.own_database import INSIDE
from portal.shell.settings import *  # noqa: F403

if settings.PRODUCTION or not os.environ.get(INSIDE):
    stop("These settings serve a benchmark, in a database of its own.")

ROOT_URLCONF = "portal.shell.bench.urls"
# The yardsticks are signed in the way Django does it by itself.
AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, "django.contrib.auth.backends.ModelBackend"]
# Only a demo's pages ask whether they are one.
_options: Any = settings.TEMPLATES[0]["OPTIONS"]
_options["context_processors"].remove("portal.shell.demo.context.demo")
