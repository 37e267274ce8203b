"""core/balance."""
