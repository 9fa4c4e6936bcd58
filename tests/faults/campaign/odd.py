"""Values that nobody can mean, for any key, and words that are no command line."""

import math

NUMBERS = [
    *(0, 1, 2, -1, 0.5, -0.5, 1e-300, 1e308, -1e308, 10**9, 10**12, -(10**12), 10**40),
    *(2**31, 2**63, math.nan, math.inf, -math.inf),
]
TEXTS = [
    *("", " ", "x", "null", "none", "nan", "1e999", "a" * 300, "é" * 300, "../..", "/proc/x", "/"),
    *("\x1b[31m", "\0", "[", "{", "${seed}", "${nothing}", "1..", "-1..3", "0..10"),
]
SIMPLE = [*NUMBERS, *TEXTS, True, False, None]
WORDS = [
    *("hydra.run.dir=/proc/x", "hydra.sweep.dir=/proc/x", "=", "a", "+x=1", "~seed", "seed=1,2"),
    *("-m", "--cfg", "--cfg=job", "--info", "--version", "--hydra-help", "-x", "--multirun"),
    *("proxies=[", "proxies={a:1}", "experiment=x", "experiment=figure4", "space=", "job=", "é=é"),
    *("executor=threads", "executor={name:x}", "a" * 300, "a" * 10**5 + "=1", "swap=3", "swap={}"),
    *("inputs=", "inputs={source:x}", "truth=nowhere", "truth.path=/", "seed=0..1000000000000"),
    *("proxies=swap,swap", "proxies=[swap,[snip]]", "proxies=[1e308]", "proxies=nwott", "device=x"),
    *("device=cuda:99", "device=meta", "n=1e3", "swap.images=0x10", "study=../../x", "study=a/b/c"),
    *("model=x.py:f", "model=x", "architecture=[1]", "architecture=-1", "space=nb101", "task=x"),
]


def written(value: object) -> str:
    """Returns a value as somebody would type it."""
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    return "null" if value is None else str(value)
