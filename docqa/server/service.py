"""What the routes share: the index, the queue of questions, threads, pictures, uploads, counts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from docqa.server.answering import Answered, Answering, AskOptions
from docqa.server.batcher import Batcher
from docqa.server.documents import Catalog
from docqa.server.metrics import Metrics
from docqa.server.pictures import Pictures
from docqa.server.settings import ServerSettings
from docqa.server.uploads import Uploads
from docqa.server.work import Threads

if TYPE_CHECKING:
    from docqa.qa import DocQA

_log = logging.getLogger("docqa")

_RETRY_SECONDS = 2.0


@dataclass
class Service:
    """What serves the requests of one server.

    Attributes:
        qa: the index and its models.
        catalog: how its documents are listed and named.
        answering: asks and searches.
        batcher: the queue of questions.
        threads: for searches, explanations and looks at documents.
        drawing: for pages and boxes, whose processes take one job at a time.
        pictures: pages of PDF files.
        metrics: what is counted.
        uploads: documents that come and go; None where changes are not allowed.
        is_ready: whether the models are loaded.
    """

    settings: ServerSettings
    qa: DocQA
    catalog: Catalog
    answering: Answering
    batcher: Batcher[AskOptions, Answered]
    threads: Threads
    drawing: Threads
    pictures: Pictures
    metrics: Metrics
    uploads: Uploads | None
    is_ready: bool = False

    @classmethod
    def of(cls, settings: ServerSettings, qa: DocQA | None = None) -> Service:
        """Make what serves requests; nothing is loaded yet.

        Args:
            qa: the index and its models; made by the settings if not given.
        """
        from docqa.qa import DocQA

        limits = settings.limits
        qa = qa or DocQA(settings.index, **settings.asking)
        catalog = Catalog(settings.index, settings.show_paths)
        answering = Answering(qa, catalog)
        metrics = Metrics()
        service = cls(
            settings=settings,
            qa=qa,
            catalog=catalog,
            answering=answering,
            batcher=Batcher(
                answering.ask, limits.waiting, limits.batch, metrics.on_batch, limits.batches
            ),
            threads=Threads("docqa-look", limits.threads, limits.waiting_for_threads),
            drawing=Threads("docqa-draw", 2, limits.waiting_for_threads),
            pictures=Pictures(limits.pictures),
            metrics=metrics,
            uploads=Uploads(settings, qa, catalog) if settings.allow_changes else None,
        )
        metrics.watch(
            "docqa_questions_waiting",
            "Questions that wait for the reader.",
            lambda: service.batcher.waiting,
        )
        metrics.watch(
            "docqa_pictures_bytes",
            "Bytes of pictures of pages that are kept.",
            lambda: service.pictures.weight,
        )
        metrics.watch("docqa_ready", "Whether questions can be answered.", lambda: service.is_ready)
        return service

    async def ask(self, questions: Sequence[str], options: AskOptions) -> list[Answered]:
        """Return what comes of questions, which wait in the queue with everybody else's.

        Raises:
            RefusedError: there is no room for them.
        """
        futures = [asyncio.wrap_future(one) for one in self.batcher.submit(questions, options)]
        try:
            return await asyncio.gather(*futures)
        finally:
            for future in futures:  # where one failed, or nobody waits, the others need no answer
                future.cancel()

    async def load(self) -> None:
        """Load the models, and answer a question so that the first client finds all warm.

        Where that fails (the index may be missing as yet), try again from time to time.
        """
        said = ""
        while not self.is_ready:
            try:
                await self.threads.run(self.qa.load)
                await self.ask(["Is everything ready?"], AskOptions(1, 0, 1, ()))
                self.is_ready = True
            except Exception as error:
                if str(error) != said:
                    said = str(error)
                    _log.error("no question can be answered yet: %s", said)
                await asyncio.sleep(_RETRY_SECONDS)

    async def close(self) -> None:
        """Stop: what is being read or written comes to its next end, and the index is closed."""
        if self.uploads is not None:
            await self.uploads.stop()
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self.batcher.close()
        self.threads.close()
        self.drawing.close()
        self.qa.close()
