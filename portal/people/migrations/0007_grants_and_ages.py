"""Grants that are narrow or end with an age, and the nightly work that ends them in the rows too."""

import django.contrib.postgres.fields
from django.db import migrations, models

from portal.people.standing import standing


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0006_holidays"),
    ]

    operations = [
        migrations.AddField(
            model_name="facility",
            name="callback_minutes",
            field=models.PositiveSmallIntegerField(
                blank=True,
                default=15,
                help_text="After how many minutes nursing is told of a form that showed an emergency and was not sent. Empty: never.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="facility",
            name="confidential_age",
            field=models.PositiveSmallIntegerField(
                default=13,
                help_text="In years. From then on a patient may keep a request from who acts for them.",
            ),
        ),
        migrations.AddField(
            model_name="facility",
            name="majority_age",
            field=models.PositiveSmallIntegerField(
                default=18, help_text="In years. On this birthday what a parent may see and do ends."
            ),
        ),
        migrations.AddField(
            model_name="proxy",
            name="scope",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.SlugField(max_length=40),
                blank=True,
                help_text="The request types that it opens, as codes with commas. Empty: all of them.",
                null=True,
                size=None,
            ),
        ),
        migrations.AlterField(
            model_name="mail",
            name="kind",
            field=models.CharField(
                choices=[
                    ("new-message", "there is a new message"),
                    ("mention", "a colleague mentioned them in a note"),
                    ("grant-given", "somebody may act for a patient from now on"),
                    ("grant-ended", "somebody may not act for a patient any more"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="proxy",
            constraint=models.CheckConstraint(
                condition=models.Q(("scope__isnull", True), ("scope__len__gt", 0), _connector="OR"),
                name="proxy_opens_something",
                violation_error_message="Name at least one kind of request, or leave it to all.",
            ),
        ),
        standing("end grants that are over", "portal.people.tasks.end_grants", nightly=True),
    ]
