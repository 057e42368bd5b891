"""Which task, class and part of a split each image of a folder belongs to, by the folders it is
in.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
LABELS = "labels.csv"
"""A table of labels may lie in a folder of images, and does not count as one of them."""

LAYOUT = f"a folder of images is laid out as TASK/CLASS/*.png (or {', '.join(SUFFIXES[1:])})"

RESULTS = "softshare-results"
"""Where results go by default; folders of results do not count as tasks."""

_SYSTEM_FILES = ("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r")
_SYSTEM_FOLDERS = ("__macosx", "@eadir", "$recycle.bin", "system volume information")
"""What file managers leave behind, in lower case."""

_PART = re.compile(
    r"(?P<train>train(ing)?|trn)|(?P<validation>val(id(ation)?)?|dev)|(?P<test>test(ing)?|tst)"
)
_OF_A_PART = re.compile(r"[ _-]?(set|data|images?|imgs?|split|folder)$")

MOST_LEVELS = 3
"""Folders that an image may be in: its part's, task's and class's."""


def part_named(folder: str) -> str | None:
    """The part of a split that a folder's name means, such as ``val`` or ``Test_images``; None
    where it means none.
    """
    found = _PART.fullmatch(_OF_A_PART.sub("", folder.lower()))
    if found is None:
        return None
    return next(part for part, text in found.groupdict().items() if text is not None)


@dataclass
class _Content:
    """What there is in a folder, by paths relative to it."""

    images: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ImageLayout:
    """The images of a folder, in the order of their names, and what is known of each.

    Args:
        names: paths relative to the folder.
        tasks: the task of each.
        labels: the class of each.
        parts: the part of each, where folders name parts.
        strays: other files and folders, which have no place.
        empty: folders without images.
        passed_over: hidden files, and those that file managers leave behind.
        notes: how the folders were understood.
    """

    names: list[str]
    tasks: list[str]
    labels: list[str]
    parts: list[str] | None
    strays: list[str]
    empty: list[str]
    passed_over: list[str]
    notes: tuple[str, ...] = ()


def layout_of(root: Path) -> ImageLayout:
    """How a folder of images is laid out: ``TASK/CLASS/file``, or with folders of parts,
    ``PART/TASK/CLASS/file`` or ``TASK/PART/CLASS/file``.

    Raises:
        ValueError: folders of parts stand beside others, there is none for training, or they hold
            the classes of one task.
    """
    content = _Content()
    _walk(root, "", content)
    top = _folders(content, 0)
    parts = _parts_among(top, str(root))
    if parts:
        return _by_parts_first(content, parts, root)
    parts_of = {}
    for task, below in _folders_below(content).items():
        parts_of[task] = _parts_among(below, f"{root / task}")
    if any(parts_of.values()):
        return _by_tasks_first(content, parts_of, root)
    return _placed(content, ("task", "label"))


def _by_parts_first(content: _Content, parts: dict[str, str], root: Path) -> ImageLayout:
    n_folders = {name.count("/") for name in content.images}
    if n_folders == {len(("part", "label"))}:
        raise ValueError(
            f"{root} holds one task, divided into {', '.join(parts)}; several tasks are laid out "
            f"as TASK/{next(iter(parts))}/CLASS, so hand in the folder around those of the tasks"
        )
    return _placed(content, ("part", "task", "label"), parts=parts)


def _by_tasks_first(
    content: _Content,
    parts_of: dict[str, dict[str, str]],
    root: Path,
) -> ImageLayout:
    lacking = [task for task, parts in parts_of.items() if not parts]
    if lacking:
        having = next(task for task, parts in parts_of.items() if parts)
        raise ValueError(
            f"{root / having} has folders of parts ({', '.join(parts_of[having])}), "
            f"{root / lacking[0]} has none; divide every task, or none"
        )
    parts: dict[str, str] = {}
    for own in parts_of.values():
        parts |= own
    return _placed(content, ("task", "part", "label"), parts=parts)


def _placed(
    content: _Content,
    roles: Sequence[str],
    *,
    parts: dict[str, str] | None = None,
) -> ImageLayout:
    """The images in folders of these roles; what lies elsewhere is a stray."""
    columns: dict[str, list[str]] = {role: [] for role in roles}
    names, strays = [], list(content.strays)
    for name in content.images:
        *folders, _ = name.split("/")
        if len(folders) != len(roles):
            strays.append(name)
            continue
        names.append(name)
        for role, folder in zip(roles, folders, strict=True):
            columns[role].append(folder)
    given, notes = _given_parts(columns.get("part"), parts or {})
    return ImageLayout(
        names=names,
        tasks=columns["task"],
        labels=columns["label"],
        parts=given,
        strays=strays,
        empty=content.empty,
        passed_over=content.passed_over,
        notes=notes,
    )


def _given_parts(
    folders: Sequence[str] | None,
    parts: dict[str, str],
) -> tuple[list[str] | None, tuple[str, ...]]:
    """The part of each image, by its folder's name, and a note that says so."""
    if folders is None:
        return None, ()
    given = [parts[folder] for folder in folders]
    told = ", ".join(sorted(parts))
    if "test" in given:
        return given, (f"the folders {told} are taken as given parts, not as tasks or classes",)
    judged = ["test" if part == "validation" else part for part in given]
    note = f"the folders {told} are taken as given parts; what validates there is the test part"
    return judged, (note,)


def _parts_among(folders: Sequence[str], where: str) -> dict[str, str]:
    """Folder → part where these folders are parts of a split.

    One such name alone is a task's or class's (a train among vehicles); two are parts.

    Raises:
        ValueError: parts stand beside other folders, or none is for training.
    """
    parts: dict[str, str] = {}
    for folder in folders:
        part = part_named(folder)
        if part is not None:
            parts[folder] = part
    if len(set(parts.values())) < 2:
        return {}
    others = [folder for folder in folders if folder not in parts]
    told = ", ".join(parts)
    if others:
        raise ValueError(
            f"{where}: the folders {told} look like parts of a split, and {', '.join(others[:5])} "
            "beside them do not; name only folders of one kind there"
        )
    if "train" not in parts.values():
        raise ValueError(
            f"{where}: the folders {told} look like parts of a split, and none is called train; "
            "add it, or name them otherwise"
        )
    return parts


# --- what there is -----------------------------------------------------------------------------


def _walk(root: Path, prefix: str, content: _Content) -> int:
    """Find what lies below a folder, linked folders too; returns how many images that are."""
    folders, files = _within(root, prefix, content)
    n_images = 0
    for name in files:
        if name.lower().endswith(SUFFIXES):
            n_images += 1
            content.images.append(name)
        elif name != LABELS:
            content.strays.append(name)
    level = prefix.count("/")
    for folder in folders:
        if level == MOST_LEVELS:
            content.strays.append(folder)
            continue
        found = _walk(root, f"{folder}/", content)
        if not found:
            inside = tuple(content.empty)
            content.empty = [name for name in inside if not name.startswith(f"{folder}/")]
            content.empty.append(folder)
        n_images += found
    return n_images


def _within(root: Path, prefix: str, content: _Content) -> tuple[list[str], list[str]]:
    """Folders, linked ones too, and files in a folder, by name, without what is passed over."""
    folders: list[str] = []
    files: list[str] = []
    with os.scandir(root / prefix) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            is_folder = entry.is_dir()
            if _is_passed_over(entry.name, is_folder):
                content.passed_over.append(prefix + entry.name)
            elif is_folder and not prefix and _holds_results(Path(entry.path)):
                continue
            else:
                (folders if is_folder else files).append(prefix + entry.name)
    return folders, files


def _is_passed_over(name: str, is_folder: bool) -> bool:
    known = _SYSTEM_FOLDERS if is_folder else _SYSTEM_FILES
    return name.startswith(".") or name.lower().split(":")[0] in known


def _holds_results(folder: Path) -> bool:
    is_default = folder.name == RESULTS
    return is_default or ((folder / "records").is_dir() and (folder / "splits").is_dir())


def _folders(content: _Content, level: int) -> list[str]:
    """The names of the folders with images at a level below the top, in their order."""
    found: dict[str, None] = {}
    for name in content.images:
        *folders, _ = name.split("/")
        if len(folders) > level:
            found[folders[level]] = None
    return list(found)


def _folders_below(content: _Content) -> dict[str, list[str]]:
    """Every folder at the top → the names of those in it that hold images, in their order."""
    found: dict[str, dict[str, None]] = {}
    for name in content.images:
        top, *below, _ = name.split("/") if "/" in name else ("", "")
        of_top = found.setdefault(top, {})
        if below:
            of_top[below[0]] = None
    found.pop("", None)  # images that stand at the top itself
    return {top: list(of_top) for top, of_top in found.items()}
