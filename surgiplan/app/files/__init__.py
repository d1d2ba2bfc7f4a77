"""Files in and out: browser, dialogs, doors."""
