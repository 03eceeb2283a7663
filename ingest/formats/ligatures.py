"""Letters that are printed as one sign (``ﬁ``), or in the shape of a place, as they are.

Nobody who looks for "final" writes "ﬁnal", and no model knows the sign.
"""

from __future__ import annotations

import re
import unicodedata

# Latin, Armenian, Hebrew and Arabic presentation forms.
_FORMS = re.compile("[\ufb00-\ufb06\ufb13-\ufb17\ufb1d\ufb1f-\ufb4f\ufb50-\ufdcf\ufe70-\ufefc]+")


def without_ligatures(text: str) -> str:
    """Return a text with each presentation form as its letters.

    >>> without_ligatures("the ﬁnal oﬃcer")
    'the final officer'
    """
    if text.isascii():
        return text
    return _FORMS.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
