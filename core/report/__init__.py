"""What maniple says of itself and of its traffic: logs, statistics, captures."""
