from django.urls import path

from intake import conversations, phone, privacy_views, views
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
    path("work/filed/<int:pk>/", phone.filed, name="filed"),
    path("access/", privacy_views.access, name="access"),
    path("access/<int:pk>/end/", privacy_views.end_access, name="access-end"),
    path("access/log/", privacy_views.access_log, name="access-log"),
    path("away/", privacy_views.away, name="away"),
    path("requests/", views.requests, name="requests"),
    path("requests/<int:pk>/", conversations.conversation, name="conversation"),
    path("requests/<int:pk>/sent/", views.sent, name="sent"),
    path("requests/<int:pk>/withdraw/", conversations.withdraw, name="withdraw"),
    path("requests/<int:pk>/keep/", conversations.keep, name="keep"),
    path("requests/<int:pk>/questions/<int:number>/", conversations.follow_up, name="follow-up"),
]
