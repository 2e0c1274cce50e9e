"""What the practice's record says about a patient, kept as it was read."""
