"""Job offers: from alerts in a mailbox to a scored table."""
