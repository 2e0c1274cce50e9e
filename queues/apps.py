from django.apps import AppConfig
from django.core.checks import Tags, register


class QueuesConfig(AppConfig):
    name = "queues"

    def ready(self) -> None:
        from portal.people import policies
        from queues import checks
        from queues.actions import places

        policies.after_leaving.append(places.without_people)
        register(checks.urgent_work_is_covered, Tags.database)
