"""`avisa check`: all that is wrong with a template folder or could be better, without putting the folder in force.

What a push refuses is an error, and so is a mail that comes out empty, which a push does not take the time to find.
All else is a warning. `check` runs the checks; each of the other modules is one of them, or a part of it.
"""

from avisa.lint.check import check

__all__ = ["check"]
