"""HTTP/1 as bytes: heads, bodies, targets, replies. No sockets."""
