"""Queues, tasks, clocks, claims, conversations, escalation, outcomes, and the outbox to the record."""
