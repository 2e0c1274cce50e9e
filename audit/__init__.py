"""The append-only trail of every read and write of patient data. Imports no other app."""
