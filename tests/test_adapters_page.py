"""docs/adapters.md is run as a reader would."""

import os
import re
from pathlib import Path

import pytest
from commands import ROOT

PAGE = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("naslib", [False, True], ids=["here", "with NASLib"])
def test_the_page_runs(
    naslib: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if naslib and "NASLIB_PATH" not in os.environ:
        pytest.skip("NASLIB_PATH is not set")
    if naslib:
        from benchmarks.naslib import load

        load()  # packages that NASLib does not need to score are stood in
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    code = [block for block in BLOCKS if bool(re.search(r"\bgraph\b", block)) == naslib]
    assert len(code) > 1
    for block in code:
        exec(compile(block, "docs/adapters.md", "exec"), names)
    said = capsys.readouterr().out
    if naslib:
        assert isinstance(names["score"], float)
        assert "|avg_pool_3x3~0|+|nor_conv_1x1~0" in said
    else:
        assert "width 32" in said
        assert {"grad_norm", "jacob_cov", "test-accuracy"} <= set(re.findall(r"[\w-]+", said))
