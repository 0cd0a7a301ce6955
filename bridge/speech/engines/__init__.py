"""Speech engines: each module here is one, and gives it its name; ``ENGINE`` in it is the registry's entry."""
