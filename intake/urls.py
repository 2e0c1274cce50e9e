from django.urls import path

from intake import conversations, grants, phone, privacy_views, views
from intake.attachments.views import attachment

urlpatterns = [
    path("", views.home, name="home"),
    path("person/", views.person, name="person"),
    path("new/<slug:code>/", views.start, name="start"),
    path("drafts/<uuid:pk>/", views.draft, name="draft"),
    path("drafts/<uuid:pk>/review/", views.review, name="review"),
    path("drafts/<uuid:pk>/discard/", views.discard, name="discard"),
    path("drafts/<uuid:pk>/pages/<slug:page>/", views.draft, name="draft"),
    path("attachments/<uuid:pk>/", attachment, name="attachment"),
    path("attachments/<uuid:pk>/small/", attachment, {"small": True}, name="attachment-small"),
    path("work/callers/", phone.callers, name="callers"),
    path("work/callers/<int:pk>/", phone.caller, name="caller"),
    path("work/callers/<int:pk>/write/", phone.caller_write, name="caller-write"),
    path("work/callers/<int:pk>/programs/", phone.caller_programs, name="caller-programs"),
    path("work/callers/<int:pk>/file/<slug:code>/", phone.caller_file, name="caller-file"),
    path("work/callers/<int:pk>/grants/", grants.clinic_grants, name="clinic-grants"),
    path("work/callers/<int:pk>/grants/<int:number>/end/", grants.clinic_end, name="clinic-end"),
    path("work/callers/<int:pk>/asked/<int:number>/back/", grants.clinic_take_back, name="clinic-back"),
    path("work/filed/<int:pk>/", phone.filed, name="filed"),
    path("access/", privacy_views.access, name="access"),
    path("access/<int:pk>/end/", privacy_views.end_access, name="access-end"),
    path("access/ask/", grants.ask, name="access-ask"),
    path("access/asked/<int:pk>/answer/", grants.answer, name="access-answer"),
    path("access/asked/<int:pk>/back/", grants.take_back, name="access-back"),
    path("access/log/", privacy_views.access_log, name="access-log"),
    path("away/", privacy_views.away, name="away"),
    path("requests/", views.requests, name="requests"),
    path("requests/<int:pk>/", conversations.conversation, name="conversation"),
    path("requests/<int:pk>/sent/", views.sent, name="sent"),
    path("requests/<int:pk>/withdraw/", conversations.withdraw, name="withdraw"),
    path("requests/<int:pk>/keep/", conversations.keep, name="keep"),
    path("requests/<int:pk>/questions/<int:number>/", conversations.follow_up, name="follow-up"),
]
