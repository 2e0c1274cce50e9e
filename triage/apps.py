from django.apps import AppConfig
from django.core.checks import Tags, register


class TriageConfig(AppConfig):
    name = "triage"

    def ready(self) -> None:
        from queues import policies
        from triage import checks, publishing

        policies.before_retire.append(publishing.check_queue_retirement)
        policies.before_change.append(publishing.check_queue_change)
        register(checks.signals_fit, Tags.database)
