"""What every resource of the API stands on."""
