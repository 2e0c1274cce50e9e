"""A request that a patient keeps from those who act for them: set by themselves, and never taken back."""

from django.db import migrations, models

FORWARD = """
CREATE FUNCTION queues_conversation_confidential() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.confidential AND NOT NEW.confidential THEN
        RAISE EXCEPTION 'What was said in confidence stays confidential.' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.confidential AND NOT EXISTS (
        SELECT 1 FROM people_patient WHERE id = NEW.patient_id AND user_id = NEW.author_id
    ) THEN
        RAISE EXCEPTION 'Only the patient can write in confidence.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER conversation_confidential BEFORE INSERT OR UPDATE OF confidential, author_id, patient_id
    ON queues_conversation FOR EACH ROW EXECUTE FUNCTION queues_conversation_confidential();
"""
BACKWARD = """
DROP TRIGGER conversation_confidential ON queues_conversation;
DROP FUNCTION queues_conversation_confidential();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("queues", "0010_search_documents"),
    ]

    operations = [
        migrations.AddField(
            model_name="conversation",
            name="confidential",
            field=models.BooleanField(
                default=False, help_text="Kept from everybody who acts for the patient. Never taken back."
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
