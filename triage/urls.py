from django.urls import path

from triage import views

urlpatterns = [path("work/tasks/<int:pk>/why/", views.trace, name="trace")]
