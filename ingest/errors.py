"""The root of every error of the product, and the one that this package raises.

They live here since data flows one way and ``ingest`` is the lowest stage; ``docqa.errors`` draws
the whole tree.
"""

from __future__ import annotations

import errno
import os


class DocQAError(Exception):
    """Base of every error that is raised on purpose."""


class IngestError(DocQAError):
    """A file or folder could not be read.

    The message says why and what to do about it, without the path: whoever catches it knows which
    file was asked for and shows the path beside it.

    Args:
        passing: see :class:`docqa.ingest.document.Failure`.
    """

    def __init__(self, message: str, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


class PictureError(IngestError):
    """A file holds nothing but pictures, whose text could be recognised.

    Args:
        pages: how many pictures there are.
    """

    def __init__(self, message: str, pages: int) -> None:
        super().__init__(message)
        self.pages = pages


_REASONS = {
    errno.ENOENT: "no such file or folder",
    errno.ENOTDIR: "no such file or folder",
    errno.EACCES: "no permission to read it",
    errno.EPERM: "no permission to read it",
    errno.ELOOP: "a symbolic link that leads back to itself",
    errno.EISDIR: "a folder, not a file",
    errno.ENAMETOOLONG: "its path is longer than the system allows",
    errno.EIO: "the disk or the network it is on failed to read it",
    errno.ESTALE: "the network folder it is on was away; index it again",
    errno.ETIMEDOUT: "the network folder it is on did not answer; index it again",
    errno.EMFILE: "too many files are open; index it again",
    errno.ENFILE: "too many files are open; index it again",
    errno.ENOMEM: "the system was short of memory; index it again",
}
# What these say, they say of the path. Any other error says something of the moment: of a disk, a
# network, a permission, what else runs.
_LASTING = frozenset(
    (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL)
)


def os_reason(error: OSError) -> str:
    """Return what an error of the operating system means, in words and without the path."""
    if error.errno is None:
        return "the system failed to read it"
    return _REASONS.get(error.errno) or os.strerror(error.errno).lower()


def is_passing(error: OSError) -> bool:
    """Return whether an error of the operating system says nothing of the file itself."""
    return error.errno not in _LASTING
