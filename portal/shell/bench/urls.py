"""Porter's addresses and the yardsticks. Only `portal.shell.bench.settings` leads here."""

from django.urls import include, path

from portal.shell.bench import yardsticks

urlpatterns = [
    path("yardstick/submit/", yardsticks.submit),
    path("yardstick/claim/", yardsticks.claim),
    path("yardstick/list/", yardsticks.listed),
    path("", include("portal.shell.urls")),
]
