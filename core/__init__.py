"""The proxy itself: configuration, HTTP, balancing, relay, reports. Knows nothing of processes and commands."""
