"""Rows and transactions."""

from bridge.store.bulks import BulkOver, BulkStanding
from bridge.store.credentials import Credential, CredentialKind, UserExists
from bridge.store.database import StoreFailed
from bridge.store.intake import DuplicateId
from bridge.store.logs import LogFilter
from bridge.store.outbox import Push
from bridge.store.recordings import RecordedFile
from bridge.store.store import Store
from bridge.store.work import Claim

__all__ = [
    "BulkOver",
    "BulkStanding",
    "Claim",
    "Credential",
    "CredentialKind",
    "DuplicateId",
    "LogFilter",
    "Push",
    "RecordedFile",
    "Store",
    "StoreFailed",
    "UserExists",
]
