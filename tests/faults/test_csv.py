"""Tables of the user's own that spreadsheets, other systems and mistakes leave."""

import codecs
import os
from pathlib import Path

import pytest

from harness import truth
from harness.core.errors import HarnessError, one_line
from harness.spaces.space import spaces

FIRST, SECOND = spaces.get("nb201").sample(2, seed=0)


def load(folder: Path, content: str | bytes) -> dict[str, float]:
    file = folder / "my.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    table = truth.load("nb201", "digits", "csv", file)
    return dict(zip(table.key, table.value, strict=True))


GOOD = f"key,value\n{FIRST},50\n{SECOND},60\n"
EXPECTED = {FIRST: 50.0, SECOND: 60.0}


@pytest.mark.parametrize(
    "content",
    [
        GOOD.encode(),
        codecs.BOM_UTF8 + GOOD.encode(),
        GOOD.encode("utf-16"),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("\n", "\n\n \n").encode(),
        f"note,value,note,key\nx,50,y,{FIRST}\nx,60,y,{SECOND}\n".encode(),
        f' key , value \n"{FIRST}", 50 \n {SECOND},6e1\n'.encode(),
    ],
    ids=["plain", "utf-8 mark", "utf-16", "windows", "blank lines", "other columns", "spaces"],
)
def test_what_can_be_read_is_read_right(tmp_path: Path, content: bytes) -> None:
    assert load(tmp_path, content) == EXPECTED


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"key,value\n{FIRST},True\n{SECOND},False\n", "line 2: value 'True' is not a finite"),
        (f"key,value\n{FIRST},1_000\n", "line 2: value '1_000' is not a finite"),
        (f"key,value,value\n{FIRST},1,2\n", "2 columns named value; leave one"),
        (f"key,key,value\n{FIRST},1,2\n", "2 columns named key; leave one"),
        (f"key,value\n\n\n{FIRST},50\n\n{SECOND},x\n", "line 6: value 'x'"),
        (f'note,key,value\n"two\nlines",{FIRST},50\n,{SECOND},x\n', "line 4: value 'x'"),
        (f"key,value\n{FIRST},50\n\n{FIRST},60\n", "line 4: .* second time; line 2 names it too"),
        (f"key,value\n{FIRST},50,60\n", "line 2 has more fields than its header"),
        (f"key,value\n{FIRST}\n", "line 2: value '' is not a finite"),
        (f'key,value\n"{FIRST},50\n', "not readable as CSV"),
        ("key,value\n,50\n", "line 2: "),
        ("", "lacks the column key and value"),
        ("\n\n", "lacks the column key and value"),
        ("key,value\n", "holds no architectures"),
        (b"\xff\xfe\x00", "not a readable CSV"),
        (b"key,value\n\xe9,50\n", "not a readable CSV"),
        (GOOD.encode("utf-16-le"), "zero bytes"),
        ("key,value\n" + "|" * 200_000 + ",50\n", "line "),
    ],
)
def test_what_cannot_be_read_says_where(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(HarnessError, match=message) as raised:
        load(tmp_path, content)
    assert len(one_line(str(raised.value))) < 2000


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", ".", "nowhere.csv"])
def test_a_path_that_is_no_file(name: str) -> None:
    with pytest.raises(HarnessError, match=r"does not exist|is a folder"):
        truth.load("nb201", "digits", "csv", name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_somebody_else_may_read(tmp_path: Path) -> None:
    file = tmp_path / "my.csv"
    file.write_text(GOOD)
    file.chmod(0)
    with pytest.raises(HarnessError, match="Permission denied"):
        truth.load("nb201", "digits", "csv", file)


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert one_line("no \x1b[31mred\nand \x07") == r"no \x1b[31mred and \x07"
