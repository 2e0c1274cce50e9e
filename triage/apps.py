from django.apps import AppConfig
from django.core.checks import Tags, register


class TriageConfig(AppConfig):
    name = "triage"

    def ready(self) -> None:
        from portal.people import policies as people
        from queues import assessing, policies
        from queues import notices as staff_notices
        from triage import checks, notices, publishing, subjects

        people.before_open.append(publishing.check_facility)
        policies.before_retire.append(publishing.check_queue_retirement)
        assessing.subjects.append(subjects.known)
        policies.before_change.append(publishing.check_queue_change)
        staff_notices.to_staff.append(notices.to_staff)
        register(checks.signals_fit, Tags.database)
        register(checks.rules_decide, Tags.database)
        register(checks.signals_whole)
