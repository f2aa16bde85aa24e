"""From alerts to offers: what is common to all senders here, one small file per sender in `senders`."""
