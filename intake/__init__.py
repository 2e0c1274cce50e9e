"""Questionnaires, request types, drafts and submissions, and every page that a patient sees."""
