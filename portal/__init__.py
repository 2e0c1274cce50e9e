"""Porter: a patient portal that clinicians trust."""
