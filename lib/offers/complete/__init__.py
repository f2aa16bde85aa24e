"""From the page of an offer to what it says of it."""
