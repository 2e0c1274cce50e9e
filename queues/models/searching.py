"""What a search looks into: one document a task, kept by the database itself."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from queues.models.tasks import Task


class SearchDocument(models.Model):
    """The words of a task: of its patient, its answers and its conversation. Triggers write it, whoever writes those.

    It is there twice, whole and without a word about health: a search by the office never even learns that a
    clinical word is in it. Both hold the task's queues as words of their own, so that a search begins with the
    viewer's queues inside the index.
    """

    task = models.OneToOneField(Task, primary_key=True, on_delete=models.CASCADE, related_name="document")
    body = models.TextField()
    office_body = models.TextField()
    words = SearchVectorField()
    office_words = SearchVectorField()

    class Meta:
        indexes = [
            GinIndex(fields=["words"], name="search_words"),
            GinIndex(fields=["office_words"], name="search_office_words"),
        ]

    def __str__(self) -> str:
        return f"search document {self.pk}"
