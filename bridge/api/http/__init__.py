"""What all resources of the API share: routes, reading, answers, errors, authentication."""
