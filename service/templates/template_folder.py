"""`templates/` on disk: read at once, and copied out to edit."""

from __future__ import annotations

import errno
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from avisa.diagnostics.diagnostic import Diagnostic
from avisa.templates.limits import LONGEST_FILE, LONGEST_FOLDER, MOST_FILES

_WANTED = ("plan.yaml", "messages/*/*.md", "layout/*.html", "layout/*.txt", "layout/words.yaml", "layout/theme.yaml")
_NAME = r"\w[\w .-]*"
_NAMES = re.compile(  # of what is written out; `_WANTED` is of what is read
    rf"plan\.yaml|layout/(?:words|theme)\.yaml|layout/{_NAME}\.(?:html|txt)|messages/{_NAME}/{_NAME}\.md"
)
_BESIDE = ("samples.jsonl", "samples/*.jsonl")
_ENDINGS = {".md.txt": ".md", ".markdown": ".md", ".md": ".md", ".yml": ".yaml", ".yaml.txt": ".yaml"}
_COPIED = (*_WANTED, "README.md", "pictures/*.png", "plan.schema.json", "feeds/*.yaml", "feeds/*.jsonl")


def shipped() -> Path:
    """Return where the shipped templates lie: in the wheel, else in the checkout."""
    package = Path(__file__).parents[1]
    inside = package / "shipped"
    return inside if inside.is_dir() else package.parent / "templates"


def locate(configured: Path | None) -> Path:
    """Return the folder in use: the one configured, else `./templates`, else the shipped one."""
    if configured is not None:
        return configured
    here = Path("templates")
    return here if (here / "plan.yaml").is_file() else shipped()


def read(folder: Path) -> tuple[dict[str, str], list[Diagnostic]]:
    """Return the texts of plan, messages and layout by their path in the folder, and what could not be read.

    Raises OSError if there is no such folder.
    """
    root = folder.resolve(strict=True)
    if not root.is_dir():
        raise NotADirectoryError(folder)
    texts: dict[str, str] = {}
    problems: list[Diagnostic] = []
    left = LONGEST_FOLDER
    for name, path in _matching(root, _WANTED):
        if len(texts) + len(problems) == MOST_FILES:
            problems.append(_problem("too_many", name, f"no more than {MOST_FILES} files are read"))
            break
        text = _text(root, path, name)
        if isinstance(text, Diagnostic):
            problems.append(text)
            continue
        left -= len(text.encode())
        if left < 0:
            message = f"all files together have no more than {LONGEST_FOLDER // 1024**2} MiB"
            problems.append(_problem("too_many", name, message))
            break
        texts[name] = text
    return texts, problems


def astray(folder: Path) -> Iterator[tuple[str, str | None]]:
    """Yield files that are not read because of their name, each with the name that it should have, if that is clear:
    `shipped/fr.md.txt` should be `shipped/fr.md`. Copies that an editor keeps are left out."""
    root = folder.resolve(strict=True)
    known = {name for name, _ in _matching(root, (*_COPIED, *_BESIDE))}
    for name, path in _matching(root, ("*", "messages/*", "messages/*/*", "layout/*")):
        if name in known or path.is_dir():
            continue
        meant = name if "/" in name else name.lower()
        for ending, right in _ENDINGS.items():
            meant = re.sub(f"{re.escape(ending)}$", right, meant, flags=re.IGNORECASE)
        if meant != name and any(fnmatchcase(meant, pattern) for pattern in (*_WANTED, *_BESIDE)):
            yield name, None if (root / meant).exists() else meant
        elif fnmatchcase(name, "messages/*.md"):
            yield name, None


def beside(folder: Path, name: str) -> str | Diagnostic | None:
    """Return the text of a file in the folder that is never put in force, such as `samples.jsonl`; None: there is
    none."""
    root = folder.resolve(strict=True)
    return _text(root, root / name, name) if (root / name).exists() else None


def all_beside(folder: Path, pattern: str) -> Iterator[tuple[str, str | Diagnostic]]:
    """Yield the name and the text of each such file, with those that match `samples/*.jsonl`."""
    root = folder.resolve(strict=True)
    for name, path in _matching(root, (pattern,)):
        yield name, _text(root, path, name)


def files_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield all files that somebody reads, with their names in the folder; none where there is no folder."""
    return _matching(folder.resolve(), (*_WANTED, *_BESIDE))


def init(folder: Path) -> list[Path]:
    """Copy the shipped templates to a folder that is empty or not there; returns what was written.

    Raises FileExistsError if something is in it, OSError if it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(folder)
    written: list[Path] = []
    for name, path in _matching(shipped().resolve(), _COPIED):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        written.append(target)
    return written


def write(folder: Path, texts: Mapping[str, str]) -> tuple[list[Path], list[Path]]:
    """Make these the texts of plan, messages and layout in the folder, which may be new. Other such files are
    removed; all else in the folder stays. Returns the files written, and those removed. Raises OSError, also if a
    name is none that such a folder has, or leads through a link.

    All files are written beside before the first one is replaced, so that whoever watches the folder sees one change.
    """
    folder.mkdir(parents=True, exist_ok=True)
    root = folder.resolve(strict=True)
    names = {name for name, _ in _matching(root, _WANTED)}
    for name in names | texts.keys():
        if not _NAMES.fullmatch(name):
            raise OSError(errno.EINVAL, "what is to be written has a name that no such folder has")
        if any((root / parent).is_symlink() for parent in PurePosixPath(name).parents if parent.name):
            raise OSError(errno.ELOOP, f"{name.rpartition('/')[0]} is a link, and links are not followed")
    changed = [name for name, text in texts.items() if not _holds(root / name, text)]
    with tempfile.TemporaryDirectory(prefix=".avisa-", dir=root) as beside:
        for place, name in enumerate(changed):
            (Path(beside) / str(place)).write_text(texts[name], encoding="utf-8", newline="")
            (root / name).parent.mkdir(parents=True, exist_ok=True)
        for place, name in enumerate(changed):
            (Path(beside) / str(place)).replace(root / name)
    gone = sorted(names - set(texts))
    for name in gone:
        (root / name).unlink()
    return [folder / name for name in changed], [folder / name for name in gone]


def _holds(path: Path, text: str) -> bool:
    try:
        return not path.is_symlink() and path.read_bytes() == text.encode()
    except OSError:
        return False


def _matching(root: Path, patterns: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """Yield files with their names in the folder, but no hidden ones, such as an editor's."""
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            name = path.relative_to(root).as_posix()
            if not any(part.startswith((".", "~")) for part in name.split("/")):
                yield name, path


def _text(root: Path, path: Path, name: str) -> str | Diagnostic:
    """Return a file's text. Links are followed if they stay inside the folder, for so volumes are mounted."""
    try:
        return _read(root, path, name)
    except OSError as error:
        return _problem("unreadable", name, error.strerror or "it cannot be read")
    except RuntimeError:  # pathlib's word for it
        return _problem("unreadable", name, "this is a link that leads to itself")
    except UnicodeDecodeError:
        return _problem("not_utf8", name, "this is not UTF-8; save it as UTF-8 in your editor")


def _read(root: Path, path: Path, name: str) -> str | Diagnostic:
    real = path.resolve(strict=True)
    if not real.is_relative_to(root) or not real.is_file():
        return _problem("not_a_file", name, "only ordinary files inside the folder are read")
    with real.open("rb") as opened:
        content = opened.read(LONGEST_FILE + 1)
    if len(content) > LONGEST_FILE:
        return _problem("too_large", name, f"a file has no more than {LONGEST_FILE // 1024} KiB")
    return content.decode("utf-8")


def _problem(code: str, file: str, message: str) -> Diagnostic:
    return Diagnostic(code=code, file=file, message=message)
