"""The settings of the server that is measured: production's own, with the yardsticks beside Porter's addresses."""

import os

from portal.shell.environment import stop
from portal.shell.own_database import INSIDE
from portal.shell.settings import *  # noqa: F403
from portal.shell.settings import AUTHENTICATION_BACKENDS, PRODUCTION

if PRODUCTION or not os.environ.get(INSIDE):
    stop("These settings serve a benchmark, in a database of its own.")

ROOT_URLCONF = "portal.shell.bench.urls"
# The yardsticks are signed in the way Django does it by itself.
AUTHENTICATION_BACKENDS = [*AUTHENTICATION_BACKENDS, "django.contrib.auth.backends.ModelBackend"]
