"""maniple: a load balancer for HTTP and TCP; it speaks HAProxy's configuration language, and Python programs it."""

__version__ = "0.1.0"
