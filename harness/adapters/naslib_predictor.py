"""Our proxies behind the interface of NASLib's zero-cost predictors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.adapters.loaders import loaded_batch
from harness.adapters.naslib_graphs import from_naslib
from harness.core.errors import HarnessError
from harness.core.sections import Settings
from harness.core.typed import checked
from harness.core.types import FAILED
from harness.proxies.contract import proxies
from harness.scoring.given_network import score_given
from harness.truth.published_scores import SENTINEL


class ZeroCost:
    """One of our proxies where NASLib takes its own ``ZeroCost``: in runners, evaluators, searches.

    NASLib asks for no type, only for these names, so that this needs no NASLib.

    Args:
        method_type: Name of a proxy; those of NAS-Bench-Suite-Zero are called alike.
        settings: Records of settings of the proxy and its passes.
        seed: Names the random streams of proxies that draw numbers.

    Attributes:
        method_type: Name of the proxy, under which NASLib's tables hold its scores.

    Raises:
        HarnessError: If there is no such proxy.
    """

    @checked
    def __init__(
        self,
        method_type: str = "jacov",
        *,
        settings: Settings | Iterable[object] = (),
        seed: int = 0,
    ) -> None:
        self.method_type = proxies.get(method_type).name
        self.ss_type: str | None = None
        self._settings = Settings(*settings)
        self._seed = seed

    def set_ss_type(self, ss_type: str) -> None:
        """Takes the name of the search space; scores do not depend on it."""
        self.ss_type = ss_type

    def pre_process(self) -> None:
        """Does nothing: there is nothing to prepare."""

    def fit(self, xtrain: Any, ytrain: Any, **_: Any) -> None:
        """Does nothing: a proxy is not trained."""

    def query(self, graph: Any, dataloader: Iterable[Any] | None = None, info: Any = None) -> float:
        """Scores a graph on the first batch of a loader.

        Args:
            graph: NASLib's network.
            dataloader: Yields (images, labels).
            info: Nothing of it is used.

        Returns:
            The score; −1e8 where it is undefined, as NASLib has it.

        Raises:
            HarnessError: If the graph or the loader is none, or scoring failed.
        """
        if dataloader is None:
            raise HarnessError("There are no images; give query a dataloader.")
        found = from_naslib(graph)
        batch = loaded_batch(dataloader, graph.get_loss_fn())
        device = next(found.network.parameters()).device
        scores = score_given(
            found.network,
            batch.to(str(device)),
            ("api", self._seed),
            [self.method_type],
            self._settings,
        )
        score = scores[self.method_type]
        if score.status in FAILED:
            raise HarnessError(f"{self.method_type} of {found.key} failed: {score.message}.")
        return score.value if score.status == "ok" else SENTINEL
