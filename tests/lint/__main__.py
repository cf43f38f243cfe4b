"""Prints what `avisa check` reports of each planted mistake: `python -m tests.lint`."""

import contextlib
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from avisa.cli.views.problems import text
from avisa.lint import check
from tests.lint.planted import MISTAKES
from tests.lint.test_planted import SOME_DAY
from tests.templates.harness import read_plan, shipped
from tests.templates.test_folder import laid_out

console = Console(highlight=False, markup=False, file=sys.stdout, width=140, soft_wrap=True)
texts = shipped()
for number, mistake in enumerate(MISTAKES, start=1):
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        planted, _ = mistake.in_texts(texts)
        folder = laid_out(Path(name), planted)
        found = [
            problem
            for problem in check(folder, read_plan, now=SOME_DAY, orders=mistake.orders)
            if problem.code == mistake.code
        ]
        console.print(f"{number}. {mistake.kind[0].upper()}{mistake.kind[1:]}\n")
        console.print(text(found[:1], folder))
        console.print()
