"""The source of the v8 crate: fetched by cargo, checked, unpacked, edited."""

import hashlib
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import edits

STAMP = "vitrine-stamp"


class CrateError(Exception):
    """The source cannot be had or is not the expected one."""


def locked_checksum(lock, name, version):
    """The SHA-256 that Cargo.lock gives for a package."""
    package = f'name = "{name}"\nversion = "{version}"\n'
    match = re.search(re.escape(package) + r'source = ".*"\nchecksum = "([0-9a-f]{64})"', lock.read_text())
    if not match:
        raise CrateError(f"{lock} has no checksum for {name} {version}")
    return match[1]


def archive(name, version, checksum, scratch):
    """The path of a crate's archive in cargo's cache; cargo fetches it first if it is not there."""
    found = cached_archive(name, version, checksum)
    if not found:
        fetch(name, version, scratch)
        found = cached_archive(name, version, checksum)
    if not found:
        raise CrateError(f"cargo fetched {name} {version}, but its cache has no archive of it with SHA-256 {checksum}")
    return found


def cached_archive(name, version, checksum):
    """The path of a crate's archive in cargo's cache if it is there and whole."""
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    for path in home.glob(f"registry/cache/*/{name}-{version}.crate"):
        if hashlib.sha256(path.read_bytes()).hexdigest() == checksum:
            return path
    return None


def fetch(name, version, scratch):
    """Lets cargo download a crate, by way of a package in `scratch` that does nothing but depend on it."""
    package = scratch / f"fetch-{name}"
    (package / "src").mkdir(parents=True, exist_ok=True)
    (package / "src/lib.rs").write_text("")
    (package / "Cargo.toml").write_text(
        '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n'
        f'[dependencies]\n{name} = {{ version = "={version}", default-features = false }}\n'
    )
    result = subprocess.run(["cargo", "fetch", "--quiet"], cwd=package, check=False)
    if result.returncode != 0:
        raise CrateError(f"cargo could not fetch {name} {version}; see its message above")


def prepare(source, crate, icu, icu_file, edits_path):
    """Makes `source` the edited tree of the archive `crate` with the ICU data from the archive `icu`, if it is not."""
    inputs = [crate.read_bytes(), icu.read_bytes(), edits_path.read_bytes()]
    stamp = "".join(hashlib.sha256(data).hexdigest() + "\n" for data in inputs)
    if (source / STAMP).exists() and (source / STAMP).read_text() == stamp:
        return False
    part = source.with_name(source.name + ".part")
    for leftover in (source, part):
        shutil.rmtree(leftover, ignore_errors=True)
    unpack(crate, part)
    edits.apply(edits.load(edits_path), part)
    data = part / "third_party/icu/common/icudtl.dat"
    data.parent.mkdir(exist_ok=True)
    with tarfile.open(icu) as files:
        prefix = icu.name.removesuffix(".crate")
        data.write_bytes(files.extractfile(f"{prefix}/{icu_file}").read())
    (part / STAMP).write_text(stamp)
    part.rename(source)
    return True


def unpack(crate, place):
    """Unpacks a crate's archive so that `place` is its top folder."""
    outer = place.with_name(place.name + ".tar")
    shutil.rmtree(outer, ignore_errors=True)
    with tarfile.open(crate) as files:
        # Whole and unfiltered, which the archive's checksum allows: Debian 12's Python has no filters yet.
        files.extractall(outer)
    (outer / crate.name.removesuffix(".crate")).rename(place)
    outer.rmdir()
