"""The console: pages and an HTTP API to see runs, start them and control them."""
