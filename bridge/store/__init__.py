"""Rows and transactions."""

from bridge.store.database import StoreFailed
from bridge.store.intake import DuplicateId
from bridge.store.store import Store
from bridge.store.work import Claim

__all__ = ["Claim", "DuplicateId", "Store", "StoreFailed"]
