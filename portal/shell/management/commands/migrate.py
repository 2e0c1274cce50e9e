from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import InsufficientPrivilege

from portal.shell.database import grant, make_role


def make_sure_of(connection: BaseDatabaseWrapper, role: str, password: str) -> None:
    """Makes the app's role with the password of DATABASE_URL, unless it is there. CommandError."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone():
            return
    try:
        make_role(connection.connection, role, password)
    except InsufficientPrivilege:
        raise CommandError(
            f"The role “{role}” of DATABASE_URL doesn't exist and the owner may not create it: "
            f'create it as an administrator with CREATE ROLE "{role}" LOGIN PASSWORD and run migrate again.'
        ) from None


class Command(DjangoMigrate):
    help = "Brings the database up to date as its owner, then sets the rights of the app's role."

    def get_check_kwargs(self, options: dict[str, Any]) -> Any:
        # The check of the serving role would find the owner here, which is right here and only here.
        return super().get_check_kwargs(options) | {"databases": []}

    def handle(self, *args: Any, **options: Any) -> None:
        owner = settings.DATABASE_OWNER
        if owner is None:
            raise CommandError(
                "DATABASE_OWNER_URL is not set: migrate needs the login that owns the tables, "
                "beside DATABASE_URL."
            )
        connection = connections[options["database"]]
        app = dict(connection.settings_dict)
        if app["USER"] == owner["USER"]:
            raise CommandError(
                f"DATABASE_URL and DATABASE_OWNER_URL both log in as “{owner['USER']}”: the app "
                "needs a role of its own."
            )
        connection.close()
        # A migration may wait longer for a lock than a request may.
        connection.settings_dict.update(owner)
        try:
            super().handle(*args, **options)
            if not options["plan"] and not options["check_unapplied"]:
                call_command("createcachetable", verbosity=options["verbosity"])
                make_sure_of(connection, app["USER"], app["PASSWORD"])
                grant(connection, app["USER"])
        finally:
            connection.close()
            connection.settings_dict.update(app)
