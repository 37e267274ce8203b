"""Arithmetic and structures of the hot path: pools, queues, slots, rates, counters. No I/O, no clock."""
