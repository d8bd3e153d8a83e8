"""What holds for every test."""

from hypothesis import HealthCheck, settings

# How fast the machine is at the moment is not what an example shows.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")
