"""Voice names of the hosted service, whose API ours follows: applications go on sending them.

They are names of Amazon Polly and Microsoft Azure, as those publish them for each language. None of these voices speaks
here: a name stands for a voice of our engines, of the same language and gender.
"""

from __future__ import annotations

import re
import unicodedata

Names = dict[str, tuple[str, ...]]
"""The names by gender (``female``, ``male``), the best known first."""


def _names(female: str, male: str) -> Names:
    return {"female": tuple(female.split()), "male": tuple(male.split())}


_AMERICAN = _names(
    "Joanna Ivy Kendra Kimberly Salli Ruth Danielle Jenny Aria Michelle Ana Jessa Zira",
    "Matthew Joey Justin Kevin Stephen Gregory Guy Davis Benjamin",
)
_PORTUGUESE = _names("Ines Raquel Fernanda Helia", "Cristiano Duarte")

HOSTED_VOICES: dict[str, Names] = {
    "ar": _names("Zeina Hala Hoda Salma Zariyah", "Naayf Zayd Hamed Shakir"),
    "ar-ma": _names("Mouna", "Jamal"),
    "bg": _names("Kalina", "Ivan Borislav"),
    "bn": _names("Nabanita Tanishaa", "Pradeep Bashkar"),
    "ca": _names("Arlet Herena Joana Alba", "Enric"),
    "cs": _names("Jitka Vlasta", "Jakub Antonin"),
    "da": _names("Naja Sofie Helle Christel", "Mads Jeppe"),
    "de": _names("Marlene Vicki Hedda Katja Amala", "Hans Daniel Conrad"),
    "de-at": _names("Hannah Ingrid", "Michael Jonas"),
    "de-ch": _names("Sabrina Leni", "Karsten Jan"),
    "el": _names("Athina", "Stefanos Nestoras"),
    "en": _AMERICAN,
    "en-us": _AMERICAN,
    "en-au": _names("Nicole Olivia Catherine Natasha", "Russell William"),
    "en-ca": _names("Heather Linda Clara", "Liam"),
    "en-gb": _names("Amy Emma Susan Hazel Sonia Libby", "Brian Arthur George Ryan"),
    "en-gb-wls": _names("", "Geraint"),
    "en-ie": _names("Niamh Emily", "Sean Connor"),
    "en-in": _names("Aditi Raveena Kajal Heera Priya Neerja", "Ravi Prabhat"),
    "es": _names("Conchita Lucia Laura Helena Elvira", "Enrique Sergio Pablo Alvaro"),
    "es-ar": _names("Elena", "Tomas"),
    "es-gl": _names("Sabela", "Roi"),
    "es-mx": _names("Mia Hilda Dalia Lupe Penelope", "Andres Raul Jorge Miguel Pedro"),
    "fi": _names("Suvi Heidi Noora Selma", "Harri"),
    "fil-ph": _names("Blessica", "Angelo"),
    "fr": _names("Celine Lea Julie Hortense Denise", "Mathieu Remi Paul Henri"),
    "fr-ca": _names("Chantal Gabrielle Caroline Harmonie Sylvie", "Liam Jean Antoine"),
    "fr-ch": _names("Ariane", "Guillaume Fabrice"),
    "gu": _names("Dhwani", "Niranjan"),
    "he": _names("Hila", "Asaf Avri"),
    "hi": _names("Aditi Kajal Kalpana Swara", "Hemant Madhur"),
    "hr": _names("Gabrijela", "Matej Srecko"),
    "hu": _names("Noemi", "Szabolcs Tamas"),
    "id": _names("Gadis", "Andika Ardi"),
    "is": _names("Dora Gudrun", "Karl Gunnar"),
    "it": _names("Carla Bianca Lucia Elsa Isabella", "Giorgio Adriano Cosimo Diego"),
    "ja": _names("Mizuki Kazuha Tomoko Ayumi Haruka Nanami", "Takumi Ichiro Keita"),
    "kk-kz": _names("Aigul", "Daulet"),
    "kn": _names("Sapna", "Gagan"),
    "ko": _names("Seoyeon Jihye Heami SunHi", "InJoon"),
    "ml": _names("Sobhana", "Midhun"),
    "mr-in": _names("Aarohi", "Manohar"),
    "ms": _names("Yasmin", "Rizwan Osman"),
    "nl": _names("Lotte Laura Hanna Fenna Colette", "Ruben Frank Maarten"),
    "no": _names("Liv Ida Hulda Pernille Iselin", "Jon Finn"),
    "pl": _names("Ewa Maja Ola Paulina Agnieszka Zofia", "Jacek Jan Adam Marek"),
    "pt": _PORTUGUESE,
    "pt-pt": _PORTUGUESE,
    "pt-br": _names("Camila Vitoria Heloisa Francisca", "Ricardo Thiago Daniel Antonio"),
    "ro": _names("Carmen Alina", "Andrei Emil"),
    "ru": _names("Tatyana Irina Ekaterina Svetlana Dariya", "Maxim Pavel Dmitry"),
    "sk": _names("Viktoria", "Filip Lukas"),
    "sl": _names("Petra", "Lado Rok"),
    "sv": _names("Astrid Elin Hedvig Sofie Hillevi", "Mattias Bengt"),
    "sw-ke": _names("Zuri", "Rafiki"),
    "sw-tz": _names("Rehema", "Daudi"),
    "ta": _names("Pallavi", "Valluvar"),
    "te": _names("Chitra Shruti", "Mohan"),
    "th": _names("Premwadee Achara", "Pattara Niwat"),
    "tr": _names("Filiz Burcu Seda Emel", "Tolga Ahmet"),
    "uk": _names("Polina", "Ostap"),
    "ur-pk": _names("Uzma", "Asad"),
    "uz-uz": _names("Madina", "Sardor"),
    "vi": _names("HoaiMy", "An NamMinh"),
    "wls": _names("Gwyneth Nia", "Aled"),
    "zh-cn": _names("Zhiyu Huihui Yaoyao Xiaoxiao", "Kangkang Yunyang Yunxi"),
    "zh-tw": _names("HanHan Yating HsiaoChen", "Zhiwei YunJhe"),
}

HOSTED_DEFAULTS = {"en": "Joanna", "en-us": "Joanna"}
"""The hosted service's default voice by language, where it documents one."""


def hosted_gender(name: str) -> str | None:
    """``female`` or ``male`` for a name as clients write it (``Joanna``, ``Léa``, ``en-US-JennyNeural``), or None."""
    return _GENDERS.get(_bare(name))


def _bare(name: str) -> str:
    letters = "".join(part for part in unicodedata.normalize("NFKD", name) if not unicodedata.combining(part))
    without_language = re.sub(r"^[a-z]{2,3}-[a-z]{2,4}-", "", letters.strip().casefold())
    return re.sub(r"[ -]*\(?(neural|rus|beta)\)?$", "", without_language)


_GENDERS = {
    name.casefold(): gender for names in HOSTED_VOICES.values() for gender, those in names.items() for name in those
}
