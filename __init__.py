"""maniple: a load balancer for HTTP and TCP that speaks the HAProxy configuration language and is programmable in Python."""

__version__ = "0.1.0"
