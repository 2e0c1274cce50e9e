"""People and places: users, staff and their roles, patients, proxies, facilities, calendars, mail."""
