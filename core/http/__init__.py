"""core/http."""
