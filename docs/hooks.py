"""Makes a site of these pages: those at the top of the repository join them, links outside follow.

The pages are written to be read in the repository, where `../results/paper/figure4.png` is a file.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
JOINING = (
    *("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "data/README.md"),
    *("benchmarks/results/gpu.md", "results/scores/README.md"),
)
PAGES = {"README.md": "index.md"} | {name: name for name in JOINING}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#:]+)(#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that lie outside the folder of documents."""
    for source, target in PAGES.items():
        files.append(File.generated(config, target, content=(ROOT / source).read_text()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Points links to where their files lie on the site; those to a folder become its name."""
    source = next((s for s, t in PAGES.items() if t == page.file.src_uri), None)
    here = posixpath.dirname(source if source else f"docs/{page.file.src_uri}")

    def pointed(link: re.Match[str]) -> str:
        picture, words, address, place = link.groups(default="")
        path = posixpath.normpath(posixpath.join(here, address))
        target = PAGES.get(path, path.removeprefix("docs/"))
        known = files.get_file_from_path(target) is not None
        if not known and (not (ROOT / path).is_file() or path.endswith(".md")):
            return f"{words} (`{path}`)"
        if not known:
            files.append(File(target, str(ROOT), config.site_dir, config.use_directory_urls))
        relative = posixpath.relpath(target, posixpath.dirname(page.file.src_uri) or ".")
        return f"{picture}[{words}]({relative}{place})"

    return LINK.sub(pointed, markdown)
