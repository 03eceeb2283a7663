"""Files that are ZIP archives of XML (Word, EPUB, PowerPoint, OpenDocument), opened with care.

An archive says how much each member holds, and Python reads no more of it than that, so what is
declared is what to be afraid of.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator
from urllib.parse import unquote

from lxml import etree

from docqa.ingest.errors import IngestError

_MB = 1024 * 1024
_TOO_MANY_DIGITS = 10
_MOST_MB = 128  # unpacked, of all that is read of an archive; XML of a whole book has some 10


class Package:
    """An archive open for reading.

    Args:
        data: the whole file.
        label: what people call such a file.

    Raises:
        IngestError: no archive.
    """

    def __init__(self, data: bytes, label: str) -> None:
        self._label = label
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise IngestError(f"not a file of {label}, or damaged") from error
        # Some programs write names with another case or a slash in front.
        self._names = {_folded(name): name for name in self._zip.namelist()}
        self._room = _MOST_MB * _MB

    def __contains__(self, name: str) -> bool:
        return _folded(name) in self._names

    def read(self, name: str) -> bytes:
        """Return a member's bytes.

        Raises:
            IngestError: it is missing, encrypted, damaged, or unpacks to more than is safe.
        """
        try:
            member = self._zip.getinfo(self._names[_folded(name)])
            self._room -= member.file_size
            if self._room < 0:
                raise IngestError(f"unpacks to more than {_MOST_MB} MB, more than is safe to read")
            return self._zip.read(member)
        except KeyError as error:
            raise IngestError(f"not a file of {self._label}: {name} is not in it") from error
        except RuntimeError as error:  # zipfile's word for a password
            raise IngestError("encrypted; remove the password first") from error
        except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
            raise IngestError(f"damaged: {name} in it can't be unpacked") from error

    def xml(self, name: str) -> etree._Element:
        """Return a member as XML; entities stay unresolved and nothing is fetched.

        Raises:
            IngestError: as for :meth:`read`, or it is no XML.
        """
        data = self.read(name)
        parser = _parser()
        try:
            return etree.fromstring(data, parser)
        except etree.XMLSyntaxError as error:
            # Programs write ids that XML does not allow, for which libxml2 refuses the whole file.
            found = [entry.type_name for entry in parser.error_log]
            if found and set(found) == {"DTD_XMLID_VALUE"}:
                return etree.fromstring(data, _parser(recover=True))
            raise IngestError(f"damaged: {name} in it is no XML") from error


def _folded(name: str) -> str:
    return name.lstrip("/").lower()


def check_size(data: bytes, label: str) -> None:
    """Refuse an archive that unpacks to more than is safe, before a library unpacks it.

    Raises:
        IngestError: so it does, or it is no archive.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            total = sum(
                member.file_size
                for member in archive.infolist()
                if member.filename.endswith((".xml", ".rels"))
            )
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise IngestError(f"not a file of {label}, or damaged") from error
    if total > _MOST_MB * _MB:
        raise IngestError(f"unpacks to more than {_MOST_MB} MB, more than is safe to read")


def resolve(base: str, target: str) -> str:
    """Return the member that a reference in another member means.

    Args:
        base: the member that holds the reference.
        target: a relative or absolute path, perhaps with a fragment and percent escapes.
    """
    path = unquote(target.partition("#")[0])
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), path)).lstrip("/")


def _parser(recover: bool = False) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        recover=recover,
    )


def elements(root: etree._Element, name: str) -> Iterator[etree._Element]:
    """Yield the elements of a name below another, whatever their namespace."""
    return (element for element in root.iter() if name_of(element) == name)


def name_of(element: etree._Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def attribute(element: etree._Element, name: str) -> str | None:
    """Return an attribute, whatever its namespace."""
    if (value := element.get(name)) is not None:
        return value
    return next((str(value) for key, value in element.items() if key.endswith(f"}}{name}")), None)


def integer(text: str | None, default: int) -> int:
    """Return a number that a file names; the default where it is none, or has too many digits."""
    return int(text) if text and text.isdecimal() and len(text) < _TOO_MANY_DIGITS else default
