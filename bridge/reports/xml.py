"""Reports as XML. The names are ours: none are publicly documented for voice."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (section 2.2) has no way to write."""


def results_as_xml(results: Sequence[Mapping[str, object]]) -> bytes:
    """``<results><result><bulkId>…</bulkId>…</result></results>`` in UTF-8.

    Elements are named as the JSON members and nest as these do; a null member has no element.
    """
    root = Element("results")
    for result in results:
        _add_members(SubElement(root, "result"), result)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add_members(element: Element, members: Mapping[str, object]) -> None:
    for name, value in members.items():
        if isinstance(value, Mapping):
            _add_members(SubElement(element, name), value)
        elif value is not None:
            SubElement(element, name).text = _text(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", str(value))
