"""Links to a state of the page: what is chosen stands after the # of its address."""

from __future__ import annotations

from urllib.parse import quote


def address(at: str, column: str, *pair: str) -> str:
    """Returns the address of a column, and of proxies on it, ``templates/address.js`` reads it.

    Args:
        at: The section to show.
        column: Name of a column.
        pair: Up to two proxies, the horizontal and the vertical one.
    """
    chosen = {"column": [column], "pair": list(pair), "at": [at]}
    return "#" + "&".join(
        f"{name}={','.join(quote(value) for value in values)}"
        for name, values in chosen.items()
        if values
    )
