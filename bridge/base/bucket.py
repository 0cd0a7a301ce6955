"""The settings of object storage as a bucket."""

from __future__ import annotations

from bridge.base.objects import Bucket
from bridge.settings import Settings


def bucket_of(settings: Settings) -> Bucket | None:
    """The one of the settings; None when all is kept on the disk."""
    if settings.s3_bucket is None:
        return None
    access_key, secret_key = settings.s3_access_key, settings.s3_secret_key
    return Bucket(
        name=settings.s3_bucket,
        endpoint=settings.s3_endpoint,
        prefix=settings.s3_prefix,
        region=settings.s3_region,
        access_key=None if access_key is None else access_key.get_secret_value(),
        secret_key=None if secret_key is None else secret_key.get_secret_value(),
    )
