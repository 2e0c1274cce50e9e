"""The shell puts the rooms together: settings, addresses, start and stop."""
