"""Every address of Porter. The rooms bring their own lists; this file puts them side by side."""

from django.contrib import admin
from django.urls import include, path

from portal.shell import health
from portal.shell.demo_login import demo_login
from portal.shell.language import choose_language

urlpatterns = [
    path("health", health.alive, name="health"),
    path("health/ready", health.ready, name="ready"),
    path("favicon.ico", health.icon, name="icon"),
    path("demo/", demo_login, name="demo-login"),
    path("language/", choose_language, name="language"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("intake.urls")),
    path("", include("triage.urls")),
    path("", include("queues.urls")),
]
