"""The known senders: a new one is a module here and one line in the registry."""
