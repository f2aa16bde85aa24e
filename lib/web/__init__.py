"""The web, politely: one client for everything that fetches pages."""
