"""What the web server runs."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.shell.settings")
application = get_wsgi_application()

# After the apps are loaded, before the first request.
from portal.shell.database import refuse_to_serve_as_owner  # noqa: E402

refuse_to_serve_as_owner()
