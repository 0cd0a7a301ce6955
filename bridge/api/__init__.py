"""The front desk: routes, requests and answers, credentials, errors."""
