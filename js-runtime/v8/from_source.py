"""Builds the library of the v8 crate from the source that the crate ships, and puts it where cargo looks for it."""

import argparse
import fcntl
import gzip
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import crate
import edits
import unity
from progress import Progress

HERE = Path(__file__).resolve().parent
NINJA_TARGET = "rusty_v8"
LIBRARY = "obj/librusty_v8.a"
STEP = re.compile(r"\[\d+/\d+\] (.*)")
FAILURE_LINES_SHOWN = 60
GZIP_LEVEL = 1
# Enough to halve the largest unit down to single sources, of which a failed one ends the build.
ROUNDS_MAX = 8
INTERRUPTED = 130


class BuildError(Exception):
    """A tool failed; the message says which."""


def main():
    """Reads the command line, builds, and turns expected failures into a message and exit code 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="the repository")
    parser.add_argument("--version", required=True, help="the version of the v8 crate in Cargo.lock")
    parser.add_argument("--library", type=Path, required=True, help="the file that cargo looks for")
    arguments = parser.parse_args()
    # Whatever ends this, ninja and its compilers end with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        build(arguments.root, arguments.version, arguments.library)
    except (BuildError, OSError, crate.CrateError, edits.EditError, unity.UnityError) as error:
        sys.exit(f"v8: {error}")
    except KeyboardInterrupt:
        say("stopped; the same command goes on from here")
        sys.exit(INTERRUPTED)


def build(root, version, library):
    """Does every step whose result is not there yet."""
    began = time.monotonic()
    data = tomllib.loads((HERE / "build.toml").read_text())
    if version != data["crate"]["version"]:
        raise BuildError(
            f"Cargo.lock has v8 {version}, but js-runtime/v8 is made for {data['crate']['version']}: "
            "bring edits.toml and build.toml up to date, or put the official library into cargo's cache"
        )
    work = root / "target/v8" / version
    work.mkdir(parents=True, exist_ok=True)
    with open(work / "lock", "w", encoding="utf-8") as lock:
        wait_for(lock)
        say(f"building version {version} from source in {work}")
        source, out = work / "src", work / "out"
        if prepare_source(root, data, source, work):
            shutil.rmtree(out, ignore_errors=True)
        for _ in range(ROUNDS_MAX):
            generate(source, out, data)
            failed = compile_all(out, data)
            if not failed:
                break
            say(f"{len(failed)} units do not compile in one piece and are halved: {' '.join(failed)}")
        else:
            raise BuildError(f"units still fail after {ROUNDS_MAX} rounds: {' '.join(failed)}")
        say("compressing the library")
        install(out / LIBRARY, library)
    say(f"version {version} is there after {(time.monotonic() - began) / 60:.1f} min ({library})")


def wait_for(lock):
    """Takes the lock of the build folder: two builds in it would write the same files."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("another build is under way here; waiting for it")
        fcntl.flock(lock, fcntl.LOCK_EX)


def prepare_source(root, data, source, work):
    """Makes sure of the edited source; true if it is new."""
    name, version = data["crate"]["name"], data["crate"]["version"]
    icu = data["icu"]
    checksum = crate.locked_checksum(root / "Cargo.lock", name, version)
    return crate.prepare(
        source,
        crate.archive(name, version, checksum, work),
        crate.archive(icu["name"], icu["version"], icu["checksum"], work),
        icu["file"],
        HERE / "edits.toml",
    )


def generate(source, out, data):
    """Runs gn and rewrites what it wrote; always, since both take two seconds and leave right files alone."""
    command = ["gn", f"--root={source}", "--script-executable=/usr/bin/python3", "-q", "gen", str(out)]
    result = subprocess.run(
        [*command, "--args=" + " ".join(data["gn"]["args"])], cwd=source, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise BuildError(f"gn gen failed:\n{result.stdout}{result.stderr}")
    unity.rewrite(out, data["group"], data["compile"]["extra_flags"])


def compile_all(out, data):
    """Runs ninja with a progress line; gives the units that failed and are to be halved.

    What ninja finished stays, so a second run goes on where the first stopped.
    """
    steps = planned_steps(out)
    if not steps:
        return []
    progress = Progress({step: usual_seconds(step, data) for step in steps}, sys.stderr)
    progress.show(now=True)
    command = ["ninja", "-C", str(out), "-j", str(jobs(data)), "-k", "0", NINJA_TARGET]
    output, failed = [], []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ninja_environment()) as ninja:
        try:
            for line in ninja.stdout:
                if match := STEP.match(line):
                    progress.finish(match[1].strip())
                else:
                    output.append(line)
                    failed += line.split()[1:] if line.startswith("FAILED: ") else []
        except KeyboardInterrupt:
            # The terminal sends Ctrl-C to ninja too, which ends its compilers and removes their half-written files.
            ninja.send_signal(signal.SIGINT)
            ninja.wait()
            progress.clear()
            raise
    progress.clear()
    if ninja.returncode != 0 and not (failed and unity.halve(out, failed)):
        raise BuildError("ninja failed:\n" + "".join(output[-FAILURE_LINES_SHOWN:]))
    return failed


def ninja_environment():
    """The environment for ninja: the status format that STEP reads, and large pages, which make clang a tenth faster."""
    return {**os.environ, "NINJA_STATUS": "[%f/%t] ", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


def planned_steps(out):
    """The descriptions of the steps that ninja would run."""
    command = ["ninja", "-C", str(out), "-n", NINJA_TARGET]
    result = subprocess.run(command, capture_output=True, text=True, env=ninja_environment(), check=False)
    if result.returncode != 0:
        raise BuildError(f"ninja cannot plan the build:\n{result.stdout}{result.stderr}")
    return [match[1].strip() for line in result.stdout.splitlines() if (match := STEP.match(line))]


def usual_seconds(step, data):
    """How long a step usually takes, by its description (`CXX unity/base/03.o`)."""
    if match := re.search(rf"{unity.UNITY_FOLDER}/(.+?)(?:-\d+)?/\d+[ab]*\.o", step):
        return next(group["step_s"] for group in data["group"] if group["name"] == match[1])
    return data["compile"]["step_s"]


def jobs(data):
    """One job a core, fewer if memory is short."""
    meminfo = Path("/proc/meminfo").read_text(encoding="ascii")
    available_mib = int(re.search(r"MemAvailable:\s+(\d+) kB", meminfo)[1]) // 1024
    return max(1, min(len(os.sched_getaffinity(0)), available_mib // data["compile"]["job_memory_mib"]))


def install(archive, library):
    """Puts the archive, compressed, under the name that cargo looks for. An older one stays until this is complete."""
    library.parent.mkdir(parents=True, exist_ok=True)
    part = library.with_name(f"{library.name}.{os.getpid()}.part")
    try:
        with open(archive, "rb") as plain, gzip.open(part, "wb", compresslevel=GZIP_LEVEL) as packed:
            shutil.copyfileobj(plain, packed, 1 << 20)
        part.replace(library)
    finally:
        part.unlink(missing_ok=True)


def say(text):
    """One line to the person who waits."""
    print(f"v8: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
