from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "intake"

    def ready(self) -> None:
        from intake import spoken
        from triage import rereading

        rereading.sources.append(spoken.words_of)
