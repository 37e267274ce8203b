"""Asking name servers while the proxy runs."""
