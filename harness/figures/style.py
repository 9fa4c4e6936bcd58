"""How all figures look, and how they are written: one place for fonts, sizes and colours."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.textpath import TextPath
from PIL import Image, ImageChops

from harness.core.files import atomic, with_suffix
from harness.core.picture_formats import check_formats
from harness.core.printing import NOT_SCORED, UNDEFINED

DPI = 200
INVISIBLE = 4  # of 255, the change of a colour

# Okabe & Ito's colours as seaborn has them: distinct under all common colour-vision deficiencies.
Colour = tuple[float, float, float]
PALETTE: list[Colour] = [
    to_rgb(f"#{code}")
    for code in (
        *("0173B2", "DE8F05", "029E73", "D55E00", "CC78BC"),
        *("CA9161", "FBAFE4", "949494", "ECE133", "56B4E9"),
    )
]
BLUE, ORANGE, GREEN, RED = PALETTE[:4]
INK, MUTED, PALE = "0.15", "0.4", "0.93"
# Red to blue stays a two-sided scale for colour-blind readers; in grey print the sign is printed.
DIVERGING = "RdBu"

TITLE, TEXT, SMALL = 10.0, 8.0, 7.0  # points
MARGIN = 0.1  # inches

_RC: dict[Any, Any] = {
    # Ships with matplotlib, so that every machine draws the same picture, Greek letters included.
    "font.family": "DejaVu Sans",
    "font.size": TEXT,
    "axes.titlesize": TEXT,
    "axes.labelsize": TEXT,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 4.8,
    "ytick.major.size": 4.8,
    "xtick.minor.size": 3.2,
    "ytick.minor.size": 3.2,
    "xtick.major.width": 1.0,
    "ytick.major.width": 1.0,
    "xtick.minor.width": 0.8,
    "ytick.minor.width": 0.8,
    "legend.fontsize": 8.8,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.8,
    "lines.solid_capstyle": "round",
    "patch.linewidth": 0.8,
    "patch.edgecolor": "white",
    "patch.force_edgecolor": True,
    "axes.axisbelow": True,
    "axes.grid": False,
    "hatch.linewidth": 0.5,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "none",  # text stays text: it can be searched, and set in another font
    "pdf.fonttype": 42,
    "svg.hashsalt": "harness",  # element names are random otherwise
    "axes.unicode_minus": True,
}


_bare: ContextVar[bool] = ContextVar("bare", default=False)
_ranked: ContextVar[bool] = ContextVar("ranked", default=False)


@contextmanager
def drawing(*, bare: bool = False, ranks: bool = False) -> Iterator[None]:
    """Says how figures are drawn that are made meanwhile.

    Args:
        bare: Whether they have no heading: a paper has its caption.
        ranks: Whether both axes of scatter plots show ranks, which is all that ρ sees.
    """
    before = _bare.set(bare), _ranked.set(ranks)
    try:
        yield
    finally:
        _bare.reset(before[0])
        _ranked.reset(before[1])


def ranked() -> bool:
    """Tells whether scatter plots show ranks."""
    return _ranked.get()


def with_marks(subtitle: str, *, undefined: bool, absent: bool, absence: str = NOT_SCORED) -> str:
    """Adds to a subtitle what the marks of its figure mean, the same in every figure.

    Args:
        subtitle: What it says already.
        undefined: Whether a dash stands somewhere.
        absent: Whether a place is empty.
        absence: What that means, where it is not the usual.
    """
    marks = [UNDEFINED] * undefined + [absence] * absent
    return f"{subtitle} {'; '.join(marks).capitalize()}.".strip() if marks else subtitle


def context() -> AbstractContextManager[None]:
    """Returns the context in which a figure is drawn and saved; it is undone afterwards."""
    return mpl.rc_context(_RC)


def figure(width: float, height: float, title: str, subtitle: str = "") -> Figure:
    """Makes an empty figure with a heading, unless ``bare``; axes are laid out below it.

    The figure belongs to no window system and to no pyplot state, so it works without a display
    and is freed like any other object.

    Args:
        width: Inches.
        height: Inches below the heading.
        title: Bold first line.
        subtitle: Small lines below it: what was measured, on what.

    Returns:
        A figure that is as much taller as its heading needs.
    """
    heading = [
        (line, size, weight, colour)
        for text, size, weight, colour in (
            (title, TITLE, "bold", INK),
            (subtitle, TEXT, "normal", MUTED),
        )
        for line in _wrap("" if _bare.get() else text, width, size, weight)
    ]
    band = sum(1.4 * size for _, size, _, _ in heading) / 72 + MARGIN if heading else 0.0
    total = height + band
    below = ConstrainedLayoutEngine(
        rect=(0, 0, 1, height / total), w_pad=MARGIN / 2, h_pad=MARGIN / 2
    )
    drawn = Figure(figsize=(width, total), layout=below)
    FigureCanvasAgg(drawn)
    top = total - MARGIN
    for line, size, weight, colour in heading:
        drawn.text(
            MARGIN / width, top / total, line, size=size, weight=weight, color=colour, va="top"
        )
        top -= 1.4 * size / 72
    return drawn


def middle(fig: Figure) -> float:
    """Returns the height, as a fraction of the figure, of the middle of what is below the heading.

    Labels of a whole figure are otherwise centred on the figure with its heading.
    """
    engine = fig.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    _, bottom, _, height = engine.get()["rect"]
    return float(bottom + height / 2)


def settle(fig: Figure) -> None:
    """Gives everything its final place, in the style of the context; later changes move nothing.

    Laying out takes longer than drawing, and matplotlib otherwise repeats it in every draw.
    """
    engine = fig.get_layout_engine()
    if engine is not None:
        engine.execute(fig)
        fig.set_layout_engine(None)


def save(
    fig: Figure, path_without_suffix: Path | str, formats: Sequence[str] = ("png",)
) -> list[Path]:
    """Writes one figure in several formats; the same figure always gives the same bytes.

    Args:
        fig: What to write; its layout is final from then on, see ``settle``.
        path_without_suffix: Where to; ``.png``, ``.svg`` are appended, folders are made.
        formats: Any of ``png`` (200 dots per inch), ``svg`` and ``pdf`` (text is text, many points
            are embedded as an image of that resolution).

    Returns:
        The files written; each is either complete or not there.

    Raises:
        HarnessError: If a format is unknown.
    """
    check_formats(formats)
    paths = [with_suffix(path_without_suffix, suffix) for suffix in formats]
    with context():
        settle(fig)
        # matplotlib's "tight" would lay out and draw everything once more for each format.
        area = fig.get_tightbbox().padded(mpl.rcParams["savefig.pad_inches"])
        for path, suffix in zip(paths, formats, strict=True):
            metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(suffix)
            with atomic(path) as temporary:
                fig.savefig(temporary, format=suffix, dpi=DPI, bbox_inches=area, metadata=metadata)
                if suffix == "png":
                    reduce_colours(temporary)
    return paths


def reduce_colours(path: Path) -> None:
    """Keeps 256 colours of a PNG, a third of its bytes, unless one would change visibly."""
    with Image.open(path) as picture:
        whole = picture.convert("RGB")
    fewer = whole.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    change = np.asarray(ImageChops.difference(whole, fewer.convert("RGB")))
    if change.max() <= INVISIBLE:
        fewer.save(path, format="PNG")


@cache
def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Returns how wide a line of text is drawn, in inches, at ``size`` points."""
    font = FontProperties(family=_RC["font.family"], weight=weight)
    width: float = TextPath((0, 0), text, size=size, prop=font).get_extents().width
    return width / 72


def is_dark(colour: tuple[float, ...]) -> bool:
    """Tells whether white text reads better than ink, from the relative luminance of WCAG 2.1."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    # Contrast is equal at 0.22; saturated colours look a little darker than they measure.
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] < 0.25


def _wrap(text: str, width: float, size: float, weight: str) -> list[str]:
    """Breaks text into lines that fit into ``width`` inches."""
    lines = []
    for part in filter(str.strip, text.splitlines()):
        # Lines of one text differ a little in their mean letter.
        letters = 0.93 * (width - 2 * MARGIN) * len(part) / text_width(part, size, weight)
        lines += textwrap.wrap(part, max(1, int(letters)))
    return lines
