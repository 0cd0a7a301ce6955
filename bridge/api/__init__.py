"""The front desk: routes, requests and answers, credentials, errors."""

from bridge.api.application import create_app
from bridge.api.authentication import Authenticator

__all__ = ["Authenticator", "create_app"]
