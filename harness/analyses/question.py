"""An analysis is a question to stored scores and accuracies: tables, pictures, and an answer.

    @analysis("beyond_size", "Does a proxy know more than size?", chapter=20)
    def beyond_size(results: StoredResults) -> Drawn: ...

A file per analysis; the arithmetic is a function of ``stats``, from arrays to a frame.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.artefacts.artefact import Artefacts, Draw

analyses = Artefacts("analysis", home="harness.analyses")


def analysis(name: str, question: str, *, chapter: int) -> Callable[[Draw], Draw]:
    """Registers a function as the analysis ``name``.

    Args:
        name: Its name on the command line.
        question: What it answers, for people.
        chapter: Where it stands in the story that all of them tell, see ``artefact.THEME``.
    """
    return analyses.registering(name, "analysis", question, chapter)
