"""Every emergency notice that a form showed, and the standing look for forms that were left there."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import audit.now
from portal.people.standing import standing


class Migration(migrations.Migration):
    dependencies = [
        ("django_q", "0018_task_success_index"),
        ("intake", "0006_follow_ups"),
        ("people", "0010_guidance"),
        ("queues", "0012_follow_ups"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("draft_key", models.UUIDField()),
                (
                    "code",
                    models.CharField(
                        help_text="The red flag's code, or “rule: ” and the rule's name.", max_length=160
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("emergency", "emergency"),
                            ("crisis", "crisis: thoughts of self-harm"),
                            ("poison", "poisoning or overdose"),
                            ("violence", "violence"),
                            ("sexual-health", "sexual health"),
                            (
                                "neutral",
                                "neutral: shown to who acts for the patient in place of the three before",
                            ),
                        ],
                        max_length=20,
                    ),
                ),
                ("request_type", models.SlugField(blank=True, max_length=40)),
                ("confidential", models.BooleanField(default=False)),
                ("shown_at", models.DateTimeField(default=audit.now.now)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("sent", "went on and sent it"),
                            ("left", "left the form there"),
                            ("deleted", "deleted the draft"),
                        ],
                        max_length=10,
                    ),
                ),
                ("outcome_at", models.DateTimeField(blank=True, null=True)),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="people.patient",
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="intake.submission",
                    ),
                ),
                (
                    "task",
                    models.ForeignKey(
                        blank=True,
                        help_text="The call-back that was opened because the form was left.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="queues.task",
                    ),
                ),
            ],
            options={
                "ordering": ["shown_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("task__isnull", True), models.Q(("outcome", "sent"), _negated=True)
                        ),
                        fields=["shown_at"],
                        name="notice_left",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("draft_key", "code"), name="notice_once_a_draft"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("outcome", ""), ("outcome_at__isnull", True)),
                            models.Q(models.Q(("outcome", ""), _negated=True), ("outcome_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="notice_outcome_has_a_time",
                    ),
                ],
            },
        ),
        standing("call back after a notice", "intake.tasks.call_back"),
    ]
