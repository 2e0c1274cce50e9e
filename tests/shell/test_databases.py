"""The tests' own database: the app's role, real commits where asked for, never a flush."""

import threading

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection, transaction


def current_role() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return cursor.fetchone()[0]


@pytest.mark.django_db
def test_tests_run_as_the_apps_role_which_owns_nothing():
    assert current_role() in {"porter_app", "porter_test_app"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE pg_has_role(current_user, relowner, 'MEMBER')")
        assert cursor.fetchone() == (0,)


def test_a_committed_database_is_seen_by_another_thread(committed_db):
    from django.contrib.contenttypes.models import ContentType

    ContentType.objects.create(app_label="porter", model="thing")
    seen = []

    def look():
        seen.append(ContentType.objects.filter(app_label="porter").count())
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [1]


@pytest.mark.django_db
def test_what_was_committed_elsewhere_is_not_here():
    from django.contrib.contenttypes.models import ContentType

    assert not ContentType.objects.filter(app_label="porter").exists()


@pytest.mark.django_db
def test_the_app_may_not_change_the_list_of_migrations():
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations")
    assert get_user_model().objects.count() == 0
