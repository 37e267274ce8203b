"""Processes: the supervisor, the groups that it forks, their listeners and their place on the CPUs."""
