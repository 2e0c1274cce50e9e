"""What the web server runs."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.shell.settings")
application = get_wsgi_application()

# After the apps are loaded, before the first request.
from portal.shell.database import refuse_to_serve_as_owner  # noqa: E402

refuse_to_serve_as_owner()

# What is loaded by now stays: the collector of the processes forked from this one need not look through it again, nor
# look after every few hundred objects, where a page of a large form makes ten thousand and lets go of them at once.
gc.freeze()
gc.set_threshold(20_000, 10, 10)
