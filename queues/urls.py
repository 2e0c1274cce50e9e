from django.urls import path

from queues import views

urlpatterns = [
    path("work/", views.work, name="work"),
    path("work/next/", views.claim_next, name="claim-next"),
    path("work/lead/", views.board, name="lead"),
    path("work/lead/move/", views.move, name="lead-move"),
    path("work/changes/", views.changes, name="changes"),
    path("work/bulk/", views.bulk, name="bulk"),
    path("work/all/", views.all_queues, name="all"),
    path("work/mine/", views.mine, name="mine"),
    path("work/waiting/", views.waiting, name="waiting"),
    path("work/search/", views.search, name="search"),
    path("work/queues/<int:pk>/", views.queue, name="queue"),
    path("work/mentions/", views.mentions, name="mentions"),
    path("work/tasks/<int:pk>/", views.task, name="task"),
    path("work/tasks/<int:pk>/here/", views.here, name="here"),
    path("work/tasks/<int:pk>/claim/", views.claim, name="claim"),
    path("work/tasks/<int:pk>/release/", views.release, name="release"),
    path("work/tasks/<int:pk>/reply/", views.reply, name="reply"),
    path("work/tasks/<int:pk>/hand-over/", views.hand_over, name="hand-over"),
    path("work/tasks/<int:pk>/escalate/", views.escalate, name="escalate"),
    path("work/tasks/<int:pk>/answer/", views.answer, name="answer"),
    path("work/tasks/<int:pk>/ask-back/", views.ask_back, name="ask-back"),
    path("work/tasks/<int:pk>/split/", views.split, name="split"),
    path("work/tasks/<int:pk>/note/", views.note, name="note"),
    path("work/tasks/<int:pk>/call/", views.call, name="call"),
    path("work/tasks/<int:pk>/tick/", views.tick, name="tick"),
    path("work/tasks/<int:pk>/undo/", views.undo, name="undo"),
]
