"""core/relay."""
