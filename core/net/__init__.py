"""core/net."""
