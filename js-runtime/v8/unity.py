"""Turns the files that gn wrote into a build of few, large translation units.

Nearly all of the time of a V8 compile goes into parsing the same headers again. gn has no unity builds, so the
`*.ninja` files that it wrote are rewritten: the compile steps of the listed targets become a few steps, each of one
generated file that includes several sources, and every link or archive step that named an old object names the new.
Sources that cannot be compiled together (they define the same name for themselves) are listed in build.toml; a unit that
fails all the same is halved.
"""

import os
import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

COMPILE = re.compile(r"build (?P<object>\S+\.o): cxx (?P<source>\S+)(?P<after>.*)")
FLAG_NAMES = ("defines", "include_dirs", "cflags", "cflags_cc")
UNITY_FOLDER = "unity"
PREFIX_RULE = "precompile"
HALVED = "halved.txt"


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
    new_name, prefixes, subninjas = {}, {}, []
    for group in groups:
        members = [target for target in targets if any(fnmatchcase(target.name, glob) for glob in group["targets"])]
        new_name |= choose(group, members, targets)
        for number, (flags, after, units) in enumerate(units_of(group, members)):
            path = Path(UNITY_FOLDER, group["name"] + (f"-{number}" if number else "") + ".ninja")
            if "prefix" in group:
                flags, after = with_prefix(out, group["prefix"], flags, after, prefixes)
            steps, names = compile_steps(out, path.stem, after, units)
            write_if_changed(out / path, "\n".join([*flags, f"target_out_dir = {UNITY_FOLDER}", *steps]) + "\n")
            new_name |= names
            subninjas.append(f"subninja {path}")
    for target in targets:
        lines = rename_objects(without_steps(target.lines, new_name), new_name)
        target.path.write_text("\n".join(lines) + "\n")
    subninjas = [*(f"subninja {UNITY_FOLDER}/{stem}.ninja" for stem in prefixes.values()), *subninjas]
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


def choose(group, members, targets):
    """Takes the sources that are not to be compiled together from their targets; gives the objects of those that are
    not to be compiled at all, with no new name."""
    names = {source.name for target in members for source in target.sources}
    for name in {*group.get("leave_out", ()), *(name for unit in group.get("units", ()) for name in unit)}:
        if name not in names:
            raise UnityError(f"group {group['name']} names {name}, which none of its targets compiles")
    linked = None
    if "linked_into" in group:
        lines = (line for target in targets if target.name == group["linked_into"] for line in target.lines)
        linked = {word for line in lines if line.startswith("build ") for word in line.split(" ")}
    dropped = {}
    for target in members:
        if linked is not None:
            target.sources = [source for source in target.sources if source.object in linked]
        dropped |= {source.object: None for source in target.sources if source.name in group.get("leave_out", ())}
        target.sources = [source for source in target.sources if source.object not in dropped]
    return dropped


def units_of(group, members):
    """The translation units of a group, as (flag lines, what they wait for, units); one entry for each set of flags."""
    by_flags = {}
    for target in (target for target in members if target.sources):
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
    """Deals sources into units of `size` neighbours, less those that the group lists in units of their own.

    Neighbours are counted before the listed ones are taken out: listing one more source changes one unit, not all.
    """
    place = {name: number for number, names in enumerate(group.get("units", ())) for name in names}
    units = [sources[start : start + group["size"]] for start in range(0, len(sources), group["size"])]
    units = [[source for source in unit if source.name not in place] for unit in units]
    listed = {}
    for source in sources:
        if source.name in place:
            listed.setdefault(place[source.name], []).append(source)
    return [unit for unit in (*units, *listed.values()) if unit]


def with_prefix(out, headers, flags, after, prefixes):
    """Flags and dependencies of a group whose units start from precompiled headers; groups of equal flags share them.

    `prefixes` holds the names of those that are made already.
    """
    key = (*headers, *(flag for flag in flags if not flag.startswith("include_dirs")))
    if key not in prefixes:
        prefixes[key] = stem = f"prefix-{len(prefixes)}"
        header = f"{UNITY_FOLDER}/{stem}.h"
        write_if_changed(out / header, "".join(f'#include "{name}"\n' for name in headers))
        step = f"build {UNITY_FOLDER}/{stem}.pch: {PREFIX_RULE} {header}{after}"
        write_if_changed(out / UNITY_FOLDER / f"{stem}.ninja", "\n".join([*flags, step]) + "\n")
    file = f"{UNITY_FOLDER}/{prefixes[key]}.pch"
    flags = [f"{flag} -include-pch {file}" if flag.startswith("cflags_cc") else flag for flag in flags]
    return flags, f" | {file}" + after.replace(" | ", " ", 1)


def compile_steps(out, stem, after, units):
    """Writes the units' files; gives the ninja statements that compile them and the new name of every old object."""
    steps, names, halved = [f"label_name = {stem}"], {}, read_halved(out)
    whole = ((f"{UNITY_FOLDER}/{stem}/{number:02}", unit) for number, unit in enumerate(units))
    for name, unit in (part for unit in whole for part in parts(*unit, halved)):
        file, new = f"{name}.cc", f"{name}.o"
        folder = (out / file).parent
        includes = (os.path.relpath(out / source.path, folder) for source in unit)
        write_if_changed(out / file, "".join(f'#include "{include}"\n' for include in includes))
        steps += [f"build {new}: cxx {file}{after}", f"  source_name_part = {Path(name).name}"]
        names.update({source.object: new for source in unit})
    return steps, names


def parts(name, unit, halved):
    """A unit, or its halves if it did not compile, or theirs."""
    if name not in halved:
        return [(name, unit)]
    middle = len(unit) // 2
    return parts(f"{name}a", unit[:middle], halved) + parts(f"{name}b", unit[middle:], halved)


def read_halved(out):
    """The units that did not compile in one piece."""
    path = out / UNITY_FOLDER / HALVED
    return set(path.read_text().split()) if path.exists() else set()


def halve(out, objects):
    """Notes that the units of `objects` are to be halved; false if one of them is no unit or has only one source."""
    names = {name.removesuffix(".o") for name in objects}
    for name in names:
        file = out / f"{name}.cc"
        if not name.startswith(f"{UNITY_FOLDER}/") or not file.exists() or file.read_text().count("#include") < 2:
            return False
    (out / UNITY_FOLDER / HALVED).write_text("\n".join(sorted(read_halved(out) | names)) + "\n")
    return True


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
    """The lines of a ninja file with each old object replaced by its unit's, once a statement, or left out."""
    for line in lines:
        if line.startswith("build ") and ".o" in line:
            words = dict.fromkeys(new_name.get(word, word) for word in line.split(" "))
            line = " ".join(word for word in words if word)
        yield line


def rewrite_toolchain(path, subninjas, extra_flags):
    """Adds the unity files after gn's own statements (ninja starts what comes first, first) and the extra flags."""
    text = path.read_text()
    # gn of 2022 makes rule names out of target names with a `+` in them, which ninja refuses.
    text = re.sub(r"\b__\w+\+[\w+]*", lambda match: match[0].replace("+", "x"), text)
    rule = re.search(r"^  command = +(\S+) .*(\$\{cflags_cc\}) -c \$\{in\} .*$", text, re.M)
    if not rule:
        raise UnityError("toolchain.ninja has no C++ compile rule of the expected form")
    extra = " ".join(extra_flags)
    text = text[: rule.end(2)] + f" {extra}" + text[rule.end(2) :]
    prefix_rule = f"""rule {PREFIX_RULE}
  command = {rule[1]} -MD -MF ${{out}}.d ${{defines}} ${{include_dirs}} ${{cflags}} ${{cflags_cc}} {extra} $
      -fpch-instantiate-templates -x c++-header -c ${{in}} -o ${{out}}
  description = PCH ${{out}}
  depfile = ${{out}}.d
  deps = gcc
"""
    path.write_text(text + prefix_rule + "\n".join(subninjas) + "\n")


def write_if_changed(path, text):
    """Leaves a file that is right untouched, so that ninja keeps what it compiled from it."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
