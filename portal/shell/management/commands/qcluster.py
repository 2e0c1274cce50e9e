from typing import Any

from django_q.management.commands.qcluster import Command as QCluster

from portal.shell.database import refuse_to_serve_as_owner


class Command(QCluster):
    def handle(self, *args: Any, **options: Any) -> None:
        refuse_to_serve_as_owner()
        super().handle(*args, **options)
