"""Language codes of the wire contract. What an engine calls a language stands with the engine."""

from __future__ import annotations


def language_code(written: str) -> str:
    """The code of the wire contract (``pt-br``) for one as clients write it (``pt-BR``, ``pt_br``)."""
    return written.strip().lower().replace("_", "-")
