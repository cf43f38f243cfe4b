"""A template: one message in one locale, compiled when it is first needed.

Only the templates used last stay compiled, so a folder may hold more than there is memory for. All folders of the
process share the same cache, and a template that is the same in two of them is compiled once.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from avisa.diagnostics.diagnostic import Diagnostic
from avisa.templates.compiled import Compiled
from avisa.templates.layout.layout_files import LayoutFiles
from avisa.templates.limits import MOST_COMPILED

Result = tuple[Compiled | None, list[Diagnostic]]
_REFUSED = 1_000  # what the diagnostics of a template without a program count as, in characters


@dataclass(frozen=True, slots=True)
class Template:
    """One message in one locale, as it is written, and what it is compiled with."""

    file: str
    locale: str
    text: str
    layout: LayoutFiles
    for_owner: bool

    def compiled(self) -> Compiled | None:
        """Return the compiled message; None if it cannot be used."""
        return _cache.result(self)[0]

    def problems(self) -> list[Diagnostic]:
        """Return what is wrong with the message."""
        return _cache.result(self)[1]


class _CompileCache:
    """The templates that are compiled, the one used last at the end.

    It may be asked from several threads. Two that ask for the same template at once may both compile it.
    """

    def __init__(self) -> None:
        self._results: OrderedDict[Template, Result] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def result(self, template: Template) -> Result:
        with self._lock:
            found = self._results.get(template)
            if found is not None:
                self._results.move_to_end(template)
                return found
        result = _compile(template)
        with self._lock:
            if template not in self._results:
                self._results[template] = result
                self._size += _size(result)
            while self._size > MOST_COMPILED:
                self._size -= _size(self._results.popitem(last=False)[1])
        return result


def _compile(template: Template) -> Result:
    from avisa.templates.compile_message import compile_message  # here, for a start compiles nothing
    from avisa.templates.layout.layout import read

    layout = read(template.layout.files)
    if isinstance(layout, list):
        return None, layout
    return compile_message(
        template.text, file=template.file, locale=template.locale, layout=layout, for_owner=template.for_owner
    )


def _size(result: Result) -> int:
    compiled, problems = result
    return compiled.program.size if compiled else _REFUSED * (1 + len(problems))


_cache = _CompileCache()
