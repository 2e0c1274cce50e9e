from django.urls import path

from triage import views

urlpatterns = [
    path("work/tasks/<int:pk>/why/", views.trace, name="trace"),
    path("work/rules/", views.approval, name="rules-approval"),
    path("work/rules/sorting/", views.sorted_right, name="rules-sorting"),
    path("work/rules/sorting/mend/", views.mend, name="rules-mend"),
    path("work/rules/approve/", views.approve, name="rules-approve"),
    path("work/rules/lost/<int:pk>/accept/", views.accept, name="rules-accept"),
    path("work/rules/<int:ruleset>/decisions/<int:decision>/", views.both, name="rules-both"),
]
