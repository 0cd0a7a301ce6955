"""The languages of the wire contract, and what each engine calls them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """What the engines call one language; None where one does not speak it.

    ``espeak`` is a voice file of espeak-ng (its ``en`` is British, and its plain ``cmn`` reads Mandarin as English),
    ``gtts`` Google's code, ``tld`` the domain whose accent is heard. A regional form that an engine lacks is spoken in
    its nearest form.
    """

    espeak: str | None
    gtts: str | None
    tld: str = "com"


LANGUAGES: dict[str, Language] = {
    "ar": Language("ar", "ar"),
    "ar-ma": Language("ar", "ar"),
    "bg": Language("bg", "bg"),
    "bn": Language("bn", "bn"),
    "ca": Language("ca", "ca"),
    "cs": Language("cs", "cs"),
    "da": Language("da", "da"),
    "de": Language("de", "de"),
    "de-at": Language("de", "de"),
    "de-ch": Language("de", "de"),
    "el": Language("el", "el"),
    "en": Language("en-us", "en"),
    "en-au": Language("en", "en", "com.au"),
    "en-ca": Language("en-us", "en", "ca"),
    "en-gb": Language("en", "en", "co.uk"),
    "en-gb-wls": Language("en", "en", "co.uk"),
    "en-ie": Language("en", "en", "ie"),
    "en-in": Language("en", "en", "co.in"),
    "en-us": Language("en-us", "en", "us"),
    "epo": Language("eo", None),
    "es": Language("es", "es", "es"),
    "es-ar": Language("es-419", "es", "com"),
    "es-gl": Language("es", "gl"),
    "es-mx": Language("es-419", "es", "com.mx"),
    "fi": Language("fi", "fi"),
    "fil-ph": Language(None, "tl"),
    "fr": Language("fr", "fr", "fr"),
    "fr-ca": Language("fr", "fr-CA", "ca"),
    "fr-ch": Language("fr-ch", "fr", "fr"),
    "gu": Language("gu", "gu"),
    "he": Language("he", "iw"),
    "hi": Language("hi", "hi"),
    "hr": Language("hr", "hr"),
    "hu": Language("hu", "hu"),
    "id": Language("id", "id"),
    "is": Language("is", "is"),
    "it": Language("it", "it"),
    "ja": Language("ja", "ja"),
    "kk-kz": Language("kk", None),
    "kn": Language("kn", "kn"),
    "ko": Language("ko", "ko"),
    "ml": Language("ml", "ml"),
    "mr-in": Language("mr", "mr"),
    "ms": Language("ms", "ms"),
    "nl": Language("nl", "nl"),
    "no": Language("nb", "no"),
    "pl": Language("pl", "pl"),
    "pt": Language("pt", "pt-PT"),
    "pt-br": Language("pt-br", "pt", "com.br"),
    "pt-pt": Language("pt", "pt-PT"),
    "ro": Language("ro", "ro"),
    "ru": Language("ru", "ru"),
    "sk": Language("sk", "sk"),
    "sl": Language("sl", None),
    "sv": Language("sv", "sv"),
    "sw-ke": Language("sw", "sw"),
    "sw-tz": Language("sw", "sw"),
    "ta": Language("ta", "ta"),
    "te": Language("te", "te"),
    "th": Language("th", "th"),
    "tr": Language("tr", "tr"),
    "uk": Language("uk", "uk"),
    "ur-pk": Language("ur", "ur"),
    "uz-uz": Language("uz", None),
    "vi": Language("vi", "vi"),
    "wls": Language("cy", "cy"),
    "zh-cn": Language("cmn-latn-pinyin", "zh-CN"),
    "zh-tw": Language("cmn-latn-pinyin", "zh-TW"),
}


def language_code(written: str) -> str:
    """The key in ``LANGUAGES`` for a code as clients write it (``pt-BR``, ``pt_br``)."""
    return written.strip().lower().replace("_", "-")
