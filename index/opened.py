"""What lies in a folder, opened as what it is: an index, or a collection of indexes.

What a collection needs is loaded where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from docqa.index.handle import IndexHandle
from docqa.index.paths import is_collection
from docqa.ingest.windows import WindowSettings

if TYPE_CHECKING:
    from docqa.index.collection.handle import CollectionHandle
    from docqa.index.hit import Hit
    from docqa.index.models.embedder import Embedder
    from docqa.index.protocols import Documents
    from docqa.index.store import Vectors
    from docqa.index.verify import Verification

AnyHandle: TypeAlias = "IndexHandle | CollectionHandle"


class AnySearches(Protocol):
    """The searches of an index or of a collection."""

    def search(
        self,
        documents: Any,
        questions: Sequence[str],
        vectors: Vectors,
        k: int,
        within: tuple[str, ...] = (),
    ) -> list[list[Hit]]:
        """Return the ``k`` best windows for each question; see :func:`docqa.index.search.search`.

        Args:
            documents: of the same snapshot.
        """


def open_handle(
    folder: Path,
    embedder: str | Embedder | None = None,
    window: WindowSettings | None = None,
    device: str = "auto",
    as_collection: bool | None = None,
) -> AnyHandle:
    """Return a handle of what lies in a folder.

    Args:
        embedder, window, device: as for both kinds of handles.
        as_collection: whether it is one, or is to become one; by the folder if not given.
    """
    if as_collection is None:
        as_collection = is_collection(folder)
    if not as_collection:
        return IndexHandle(folder, embedder, window, device)
    from docqa.index.collection.handle import CollectionHandle

    return CollectionHandle(folder, embedder, window, device)


@contextmanager
def open_documents(folder: Path) -> Iterator[Documents]:
    """Open the documents in a folder to look at, at one generation; nothing for searches is loaded.

    Raises:
        IndexMissingError: there is no index.
        StorageError: it can't be read.
    """
    if is_collection(folder):
        from docqa.index.collection.documents import open_documents as open_all

        with open_all(folder) as documents:
            yield documents
        return
    from docqa.index.store import Store

    with Store.open(folder) as store, store.snapshot():
        yield store


def verify(folder: Path, progress: Callable[[int, int], None] | None = None) -> Verification:
    """Check what lies in a folder; see :func:`docqa.index.verify.verify`.

    Raises:
        IndexMissingError: there is no index.
        StorageError: it can't be read, for a reason other than damage.
    """
    if is_collection(folder):
        from docqa.index.collection.verify import verify_collection

        return verify_collection(folder, progress)
    from docqa.index.store import Store
    from docqa.index.verify import verify as verify_index

    with Store.open(folder) as store:
        return verify_index(store, progress)
