"""The benchmarks: the same scenarios through maniple, haproxy, nginx and others, by their command lines, on loopback.

Nothing of the product is imported here (micro.py, which times its parts one by one, excepted): whatever is measured
runs as processes of its own, as its users run it.
"""
