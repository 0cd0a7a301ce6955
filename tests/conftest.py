"""Settings of Hypothesis for all tests."""

from hypothesis import HealthCheck, settings

# On a machine with other work to do the clock says nothing about an example.
settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")
