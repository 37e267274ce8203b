"""Which server a request goes to, and in which queue it waits."""
