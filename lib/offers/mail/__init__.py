"""Mailboxes with alerts: one port (`base`), one file per kind."""
