"""Turns the files that gn wrote into a build of few, large translation units.

Nearly all of the time of a V8 compile goes into parsing the same headers again. gn has no unity builds, so the
`*.ninja` files that it wrote are rewritten: the compile steps of the listed targets become a few steps, each of one
generated file that includes several sources, and every link or archive step that named an old object names the new.
"""

import os
import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

COMPILE = re.compile(r"build (?P<object>\S+\.o): cxx (?P<source>\S+)(?P<after>.*)")
FLAG_NAMES = ("defines", "include_dirs", "cflags", "cflags_cc")
UNITY_FOLDER = "unity"


class UnityError(Exception):
    """A listed target or file is not what the data was made for."""


@dataclass(frozen=True)
class Source:
    """One compile step: the source as ninja names it, its object, what the step waits for."""

    path: str
    object: str
    after: str

    @property
    def name(self):
        """The file's name without folders, as build.toml gives it."""
        return self.path.rsplit("/", 1)[-1]


@dataclass
class Target:
    """One `*.ninja` file that gn wrote for one target."""

    name: str
    path: Path
    lines: list
    flags: dict = field(default_factory=dict)
    sources: list = field(default_factory=list)


def rewrite(out, groups, extra_flags):
    """Rewrites the build directory `out` as `groups` say; `extra_flags` go to every C++ compile step."""
    targets = [read_target(out, path) for path in sorted((out / "obj").rglob("*.ninja"))]
    new_name, subninjas = {}, []
    for group in groups:
        members = [target for target in targets if any(fnmatchcase(target.name, glob) for glob in group["targets"])]
        for number, (flags, after, units) in enumerate(units_of(group, members)):
            path = Path(UNITY_FOLDER, group["name"] + (f"-{number}" if number else "") + ".ninja")
            steps, names = compile_steps(out, path.stem, after, units)
            write_if_changed(out / path, "\n".join([*flags, f"target_out_dir = {UNITY_FOLDER}", *steps]) + "\n")
            new_name.update(names)
            subninjas.append(f"subninja {path}")
    for target in targets:
        lines = rename_objects(without_steps(target.lines, new_name), new_name)
        target.path.write_text("\n".join(lines) + "\n")
    rewrite_toolchain(out / "toolchain.ninja", subninjas, extra_flags)


def read_target(out, path):
    """Reads the `*.ninja` file at `path`."""
    target = Target(path.relative_to(out / "obj").with_suffix("").as_posix(), path, path.read_text().splitlines())
    for line in target.lines:
        if match := COMPILE.fullmatch(line):
            target.sources.append(Source(match["source"], match["object"], match["after"]))
        elif " = " in line and not line.startswith(" "):
            name, value = line.split(" = ", 1)
            target.flags[name] = value
    return target


def units_of(group, members):
    """The translation units of a group, as (flag lines, what they wait for, units); one entry for each set of flags."""
    names = {source.name for target in members for source in target.sources}
    for name in {*group.get("alone", ()), *(name for rivals in group.get("apart", ()) for name in rivals)}:
        if name not in names:
            raise UnityError(f"group {group['name']} names {name}, which none of its targets compiles")
    by_flags = {}
    for target in members:
        flags = tuple(f"{name} = {flag_value(target, name, group)}" for name in FLAG_NAMES)
        for source in target.sources:
            by_flags.setdefault((flags, source.after), []).append(source)
    if not by_flags:
        raise UnityError(f"group {group['name']} finds no target with C++ sources")
    return [(flags, after, deal(group, sources)) for (flags, after), sources in by_flags.items()]


def flag_value(target, name, group):
    """One flag variable of a target after the group's replacements."""
    value = target.flags.get(name, "")
    if name == "cflags":
        for old, new in group.get("replace", ()):
            if old not in value.split():
                raise UnityError(f"group {group['name']} replaces {old}, which {target.name} is not compiled with")
            value = " ".join(new if flag == old else flag for flag in value.split())
    return value


def deal(group, sources):
    """Deals sources into units of at most `size` files: each into the first unit where it clashes with nobody."""
    alone, apart = set(group.get("alone", ())), [set(rivals) for rivals in group.get("apart", ())]
    units, open_units = [], []
    for source in sources:
        rivals = set().union(*(names for names in apart if source.name in names))
        fits = (unit for unit in open_units if not rivals & {member.name for member in unit})
        unit = None if source.name in alone else next(fits, None)
        if unit is None:
            unit = []
            units.append(unit)
            if source.name not in alone:
                open_units.append(unit)
        unit.append(source)
        if len(unit) == group["size"]:
            open_units = [other for other in open_units if other is not unit]
    return units


def compile_steps(out, stem, after, units):
    """Writes the units' files; gives the ninja statements that compile them and the new name of every old object."""
    steps, names = [f"label_name = {stem}"], {}
    for number, unit in enumerate(units):
        file, new = f"{UNITY_FOLDER}/{stem}/{number:02}.cc", f"{UNITY_FOLDER}/{stem}/{number:02}.o"
        folder = (out / file).parent
        includes = (os.path.relpath(out / source.path, folder) for source in unit)
        write_if_changed(out / file, "".join(f'#include "{include}"\n' for include in includes))
        steps += [f"build {new}: cxx {file}{after}", f"  source_name_part = {number:02}"]
        names.update({source.object: new for source in unit})
    return steps, names


def without_steps(lines, objects):
    """The lines of a ninja file without the compile steps of `objects` and their indented variables."""
    dropping = False
    for line in lines:
        if not line.startswith(" "):
            match = COMPILE.fullmatch(line)
            dropping = bool(match) and match["object"] in objects
        if not dropping:
            yield line


def rename_objects(lines, new_name):
    """The lines of a ninja file with each old object replaced by its unit's, once a statement."""
    for line in lines:
        if line.startswith("build ") and ".o" in line:
            line = " ".join(dict.fromkeys(new_name.get(word, word) for word in line.split(" ")))
        yield line


def rewrite_toolchain(path, subninjas, extra_flags):
    """Adds the unity files after gn's own statements (ninja starts what comes first, first) and the extra flags."""
    text = path.read_text()
    # gn of 2022 makes rule names out of target names with a `+` in them, which ninja refuses.
    text = re.sub(r"\b__\w+\+[\w+]*", lambda match: match[0].replace("+", "x"), text)
    compile_tail = " ${cflags_cc} -c "
    if text.count(compile_tail) != 1:
        raise UnityError("toolchain.ninja has no C++ compile rule of the expected form")
    text = text.replace(compile_tail, f" ${{cflags_cc}} {' '.join(extra_flags)} -c ")
    path.write_text(text + "\n".join(subninjas) + "\n")


def write_if_changed(path, text):
    """Leaves a file that is right untouched, so that ninja keeps what it compiled from it."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
