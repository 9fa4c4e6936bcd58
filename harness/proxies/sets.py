"""Named sets of proxies, for ``proxies=NAME``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.core.errors import HarnessError, unknown
from harness.core.registry import Registry
from harness.core.sections import Settings
from harness.proxies.contract import populations, proxies

proxy_sets: Registry[tuple[str, ...]] = Registry("set of proxies")


def _add(name: str, members: str) -> None:
    proxy_sets.add(name, tuple(members.split()))


_FORWARD_ONLY = "params flops l2_norm nwot activation_patterns swap reg_swap"
_add("default", f"{_FORWARD_ONLY} grad_norm snip plain synflow")
_add("forward_only", _FORWARD_ONLY)
_add("swap_family", "activation_patterns swap reg_swap")
# The 13 of NAS-Bench-Suite-Zero.
_add(
    "suite_zero",
    "epe_nas fisher flops grad_norm grasp jacov l2_norm nwot params plain snip synflow zen",
)

# What came since: one column each, and the ensembles that are blind.
_NEWER = "vkdnw parameter_tensors l_swag eps wrcor dextr zico_bc swap_signum intrain eznas_a"
_add("newer", _NEWER)
_add("ensembles", "rank_log vote")


def resolved(asked: object, own: Mapping[str, Iterable[str]] = {}) -> tuple[str, ...]:
    """Returns the proxies that are named: sets, single ones, ``all``, or a list of these.

    Args:
        asked: A name or a list of names.
        own: Further named sets, the user's.

    Raises:
        HarnessError: If a name is neither a set nor a proxy.
    """
    sets = {name: proxy_sets.get(name) for name in proxy_sets} | dict(own)
    known = [*proxies.names(), *populations.names()]
    names: list[str] = []
    listed = asked if isinstance(asked, Sequence) and not isinstance(asked, str) else [asked]
    for name in map(str, listed):
        names += known if name == "all" else sets.get(name, [name])
    if not names:
        raise HarnessError("proxies=[] names no proxy; name at least one, or proxies=all.")
    for name in names:
        if name not in known:
            raise unknown("proxy", name, [*known, *sets, "all"])
    return tuple(dict.fromkeys(names))


def scored(names: Iterable[str], settings: Settings) -> tuple[str, ...]:
    """Returns the proxies to score: population-level ones are replaced by what they are made of.

    Raises:
        HarnessError: If an ensemble is to be made of what does not exist.
    """
    found: list[str] = []
    for name in names:
        found += populations.get(name).columns(settings) if name in populations else [name]
    return tuple(dict.fromkeys(found))
