"""Language codes of the API. What an engine calls a language stands with the engine."""

from __future__ import annotations


def language_code(written: str) -> str:
    """The language code of the API (``pt-br``) for one as clients write it (``pt-BR``, ``pt_br``)."""
    return written.strip().lower().replace("_", "-")
