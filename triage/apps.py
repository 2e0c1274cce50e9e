from django.apps import AppConfig
from django.core.checks import Tags, register


class TriageConfig(AppConfig):
    name = "triage"

    def ready(self) -> None:
        from portal.people import policies as people
        from queues import assessing, policies
        from triage import checks, publishing, subjects

        people.before_open.append(publishing.check_facility)
        policies.before_retire.append(publishing.check_queue_retirement)
        assessing.subjects.append(subjects.known)
        policies.before_change.append(publishing.check_queue_change)
        register(checks.signals_fit, Tags.database)
