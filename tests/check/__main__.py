"""Prints what `avisa check` says of each planted mistake: `python -m tests.check`."""

import contextlib
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from service import template_folder
from service.cli.diagnostics import text
from service.rendering.check import check
from tests.check.planted import MISTAKES
from tests.check.test_planted import SOME_DAY
from tests.rendering.desk import SHIPPED, read_plan
from tests.rendering.test_folder import laid_out

console = Console(highlight=False, markup=False, file=sys.stdout, width=140, soft_wrap=True)
texts, _ = template_folder.read(SHIPPED)
for number, mistake in enumerate(MISTAKES, start=1):
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        planted, _ = mistake.in_texts(texts)
        folder = laid_out(Path(name), planted)
        said = [
            problem
            for problem in check(folder, read_plan, now=SOME_DAY, orders=mistake.orders)
            if problem.code == mistake.code
        ]
        console.print(f"{number}. {mistake.kind[0].upper()}{mistake.kind[1:]}\n")
        console.print(text(said[:1], folder))
        console.print()
