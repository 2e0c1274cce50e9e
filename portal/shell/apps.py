# As a module: Django takes every AppConfig class it finds in this file's names for one of ours.
import django.contrib.admin.apps as admin
from django.apps import AppConfig
from django.db.backends.signals import connection_created


class ShellConfig(AppConfig):
    name = "portal.shell"
    label = "shell"
    verbose_name = "Porter"
    default = True

    def ready(self) -> None:
        # The import registers the check.
        from portal.shell import checks  # noqa: F401
        from portal.shell.demo import context
        from portal.shell.moments import read_quickly
        from queues import notices

        notices.to_staff.append(context.to_staff)
        connection_created.connect(read_quickly, dispatch_uid="porter-moments")


class PorterAdminConfig(admin.AdminConfig):
    """Django's admin with our site; here and not in admin.py, which needs the models that come later."""

    default = False
    default_site = "portal.shell.admin.PorterAdminSite"
