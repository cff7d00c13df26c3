"""Quick checks of what gets V8 built: no compiler of C++ runs. `python3 js-runtime/v8/test_v8.py`"""

import contextlib
import gzip
import http.server
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import threading
import tomllib
import unittest
import unittest.mock
from pathlib import Path

sys.dont_write_bytecode = True

import crate  # noqa: E402
import edits  # noqa: E402
import from_source  # noqa: E402
import unity  # noqa: E402
from progress import Progress  # noqa: E402

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ENSURE = HERE / "ensure"
BUILD = tomllib.loads((HERE / "build.toml").read_text())
VERSION = BUILD["crate"]["version"]


def pristine(scratch):
    """The v8 crate's archive as Cargo.lock pins it."""
    checksum = crate.locked_checksum(ROOT / "Cargo.lock", "v8", VERSION)
    return crate.archive("v8", VERSION, checksum, scratch)


def take(archive, names, place):
    """Unpacks only the named files of a crate's archive."""
    prefix = archive.name.removesuffix(".crate")
    with tarfile.open(archive) as files:
        for name in names:
            target = place / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(files.extractfile(f"{prefix}/{name}").read())


class WithScratch(unittest.TestCase):
    """Gives each test a folder that is gone after it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.scratch = Path(folder.name)


class Edits(WithScratch):
    """The edits fit the pinned crate, and what does not fit is refused."""

    def test_each_edit_fits_the_pristine_source(self):
        listed = edits.load(HERE / "edits.toml")
        take(pristine(self.scratch), {edit["file"] for edit in listed}, self.scratch / "src")
        edits.apply(listed, self.scratch / "src")
        for edit in listed:
            text = (self.scratch / "src" / edit["file"]).read_text()
            self.assertEqual(edit["new"].count(edit["old"]), text.count(edit["old"]), edit["name"])
            self.assertIn(edit["new"], text, edit["name"])

    def test_an_edit_that_does_not_fit_is_named_and_changes_nothing(self):
        file = self.scratch / "a.gn"
        file.write_text("one two two")
        good = {"name": "good", "file": "a.gn", "count": 1, "old": "one", "new": "1"}
        for old, count in (("three", 1), ("two", 1), ("one", 1)):
            bad = {"name": "misfit", "file": "a.gn", "count": count, "old": old, "new": ""}
            with self.assertRaisesRegex(edits.EditError, "misfit.*a.gn"):
                edits.apply([good, bad], self.scratch)
            self.assertEqual(file.read_text(), "one two two")

    def test_an_edit_of_a_missing_file_is_named(self):
        edit = {"name": "nowhere", "file": "none.gn", "count": 1, "old": "a", "new": "b"}
        with self.assertRaisesRegex(edits.EditError, "nowhere.*none.gn"):
            edits.apply([edit], self.scratch)


class Data(WithScratch):
    """The build data belongs to the version that Cargo.lock pins."""

    def test_the_version_is_the_locked_one(self):
        self.assertIn(f'name = "v8"\nversion = "{VERSION}"', (ROOT / "Cargo.lock").read_text())

    def test_another_version_is_refused(self):
        with self.assertRaisesRegex(from_source.BuildError, "1.2.3"):
            from_source.build(self.scratch, "1.2.3", self.scratch / "library")

    def test_each_group_has_a_name_of_its_own_and_a_weight(self):
        names = [group["name"] for group in BUILD["group"]]
        self.assertEqual(len(names), len(set(names)))
        for name in names:
            self.assertGreater(from_source.usual_seconds(f"CXX unity/{name}-1/03.o", BUILD), BUILD["compile"]["step_s"])


class CacheName(WithScratch):
    """`ensure` and the crate's own build script name the same file."""

    FUNCTIONS = ("prebuilt_profile", "prebuilt_features_suffix", "static_lib_name", "static_lib_url",
                 "replace_non_alphanumeric", "env_bool")

    def crate_name(self, environment):
        """What the crate's own functions make of an environment."""
        take(pristine(self.scratch), ["build.rs"], self.scratch)
        script = (self.scratch / "build.rs").read_text()
        bodies = [re.search(rf"^fn {name}\(.*?^}}\n", script, re.M | re.S)[0] for name in self.FUNCTIONS]
        program = "use std::env;\n" + "".join(bodies)
        program += 'fn main() { println!("{}", replace_non_alphanumeric(&static_lib_url())); }\n'
        (self.scratch / "name.rs").write_text(program)
        subprocess.run(["rustc", "--edition=2024", "-Awarnings", "name.rs"], cwd=self.scratch, check=True)
        return subprocess.run(
            [self.scratch / "name"], env=environment, capture_output=True, text=True, check=True
        ).stdout.strip()

    def test_the_name_is_the_one_the_crate_computes(self):
        host = re.search("host: (.*)", subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout)
        environment = {
            "CARGO_CFG_TARGET_OS": "linux", "CARGO_PKG_VERSION": VERSION, "TARGET": host[1],
            "CARGO_FEATURE_SIMDUTF": "1", "CARGO_FEATURE_USE_CUSTOM_LIBCXX": "1",
        }
        path = run_ensure(self.scratch, "--print-path").stdout.strip()
        self.assertEqual(path, f"{self.scratch}/home/.rusty_v8/{self.crate_name(environment)}")


def run_ensure(scratch, *arguments, mirror=None):
    """Runs `ensure` with a scratch cargo home, as an ordinary user to whom no package is installed."""
    stubs = scratch / "stubs"
    stubs.mkdir(exist_ok=True)
    for name, text in (("dpkg-query", "exit 1"), ("id", "echo 1000"), ("apt-get", "exit 1")):
        (stubs / name).write_text(f"#!/bin/sh\n{text}\n")
        (stubs / name).chmod(0o755)
    environment = {**os.environ, "CARGO_HOME": str(scratch / "home"), "PATH": f"{stubs}:{os.environ['PATH']}"}
    environment |= {"RUSTY_V8_MIRROR": mirror} if mirror else {}
    environment.pop("RUSTY_V8_ARCHIVE", None)
    return subprocess.run(
        [ENSURE, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


class Ensure(WithScratch):
    """What `ensure` does before anything is compiled."""

    def serve(self, body):
        """A mirror on this machine that answers every request with `body`, or with 404."""
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if body is not None else 404)
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}"

    def library(self, mirror):
        return Path(run_ensure(self.scratch, "--print-path", mirror=mirror).stdout.strip())

    def test_a_library_that_is_there_is_left_alone(self):
        library = self.library("http://127.0.0.1:9")
        library.parent.mkdir(parents=True)
        library.write_bytes(b"library")
        result = run_ensure(self.scratch, mirror="http://127.0.0.1:9")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1)
        self.assertEqual(library.read_bytes(), b"library")

    def test_a_whole_download_gets_the_name(self):
        packed = gzip.compress(b"library")
        mirror = self.serve(packed)
        result = run_ensure(self.scratch, mirror=mirror)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.library(mirror).read_bytes(), packed)

    def test_without_a_whole_download_missing_packages_end_it_with_one_apt_line(self):
        for mirror in (self.serve(gzip.compress(b"library" * 99)[:-9]), self.serve(None), "http://127.0.0.1:9"):
            result = run_ensure(self.scratch, mirror=mirror)
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertEqual(result.stderr.count("sudo apt-get install"), 1, result.stderr)
            self.assertIn("clang-22", result.stderr)
            self.assertEqual(list(self.library(mirror).parent.glob("*")), [])

    def test_from_source_keeps_the_old_library_until_the_new_one_is_whole(self):
        library = self.library(None)
        library.parent.mkdir(parents=True)
        library.write_bytes(b"library")
        self.assertEqual(run_ensure(self.scratch, "--from-source").returncode, 1)
        with self.assertRaises(OSError):
            from_source.install(self.scratch / "not-built", library)
        self.assertEqual([path.read_bytes() for path in library.parent.iterdir()], [b"library"])
        (self.scratch / "built").write_bytes(b"new")
        from_source.install(self.scratch / "built", library)
        self.assertEqual(gzip.decompress(library.read_bytes()), b"new")

    def test_an_unknown_option_is_wrong_usage(self):
        self.assertEqual(run_ensure(self.scratch, "--fast").returncode, 2)


class Unity(WithScratch):
    """gn's files are rewritten into units without losing or doubling a source."""

    GROUP = {"name": "base", "targets": ["v8/base"], "size": 2, "replace": [["-O3", "-O1"]]}

    def write(self):
        """A build directory with one target of four sources, one of which waits for the others in no way."""
        steps = "".join(
            f"build obj/v8/base/{name}.o: cxx ../src/{name}.cc || obj/in.stamp\n  source_name_part = {name}\n"
            for name in "abcd"
        )
        (self.scratch / "obj/v8").mkdir(parents=True, exist_ok=True)
        (self.scratch / "obj/v8/base.ninja").write_text(
            f"defines = -DX\ncflags = -O3 -g0\nlabel_name = base\n\n{steps}\n"
            "build obj/v8/base.stamp: stamp obj/v8/base/a.o obj/v8/base/b.o obj/v8/base/c.o obj/v8/base/d.o\n"
        )
        (self.scratch / "obj/v8/other.ninja").write_text(
            "cflags = -O3\nbuild obj/v8/other/e.o: cxx ../src/e.cc\n  source_name_part = e\n"
        )
        objects = " ".join(f"obj/v8/base/{name}.o" for name in "abcd")
        (self.scratch / "obj/v8/lib.ninja").write_text(f"build obj/lib.a: alink {objects}\n")
        (self.scratch / "toolchain.ninja").write_text(
            "rule cxx\n  command = c++ ${cflags_cc} -c ${in} -o ${out}\nrule __a_libc++_b__rule\nsubninja obj/v8/base.ninja\n"
        )

    def rewrite(self, **changes):
        self.write()
        unity.rewrite(self.scratch, [{**self.GROUP, **changes}], ["-w"])
        units = sorted((self.scratch / "unity/base").glob("*.cc"))
        return [re.findall(r"(\w)\.cc", unit.read_text()) for unit in units]

    def test_sources_are_dealt_in_order(self):
        self.assertEqual(self.rewrite(), [["a", "b"], ["c", "d"]])
        target = (self.scratch / "obj/v8/base.ninja").read_text()
        self.assertIn("build obj/v8/base.stamp: stamp unity/base/00.o unity/base/01.o\n", target)
        self.assertNotIn(": cxx", target)
        steps = (self.scratch / "unity/base.ninja").read_text()
        self.assertIn("cflags = -O1 -g0\n", steps)
        self.assertIn("build unity/base/01.o: cxx unity/base/01.cc || obj/in.stamp\n", steps)
        toolchain = (self.scratch / "toolchain.ninja").read_text()
        self.assertIn("c++ ${cflags_cc} -w -c ${in} -o", toolchain)
        self.assertIn("rule __a_libcxx_b__rule", toolchain)
        self.assertTrue(toolchain.endswith("subninja unity/base.ninja\n"))

    def test_a_listed_unit_is_made_of_what_it_lists(self):
        self.assertEqual(self.rewrite(units=[["a.cc", "d.cc"]]), [["b"], ["c"], ["a", "d"]])

    def test_a_unit_that_fails_is_halved(self):
        self.rewrite()
        self.assertTrue(unity.halve(self.scratch, ["unity/base/01.o"]))
        for path in (self.scratch / "obj").rglob("*.ninja"):
            path.unlink()
        self.rewrite()
        steps = re.findall(r"build (\S+):", (self.scratch / "unity/base.ninja").read_text())
        self.assertEqual(steps, [f"unity/base/{name}.o" for name in ("00", "01a", "01b")])
        self.assertFalse(unity.halve(self.scratch, ["unity/base/01a.o"]))
        self.assertFalse(unity.halve(self.scratch, ["unity/base/00.o", "obj/lib.a"]))

    def test_precompiled_headers_are_made_first(self):
        self.rewrite(prefix=["all.h"])
        self.assertEqual((self.scratch / "unity/prefix-0.h").read_text(), '#include "all.h"\n')
        step = (self.scratch / "unity/prefix-0.ninja").read_text()
        self.assertIn("build unity/prefix-0.pch: precompile unity/prefix-0.h || obj/in.stamp\n", step)
        self.assertNotIn("-include-pch", step)
        steps = (self.scratch / "unity/base.ninja").read_text()
        self.assertIn("cflags_cc =  -include-pch unity/prefix-0.pch\n", steps)
        self.assertIn("unity/base/00.cc | unity/prefix-0.pch || obj/in.stamp\n", steps)

    def test_only_what_is_linked_is_taken(self):
        self.assertEqual(self.rewrite(targets=["v8/*"], linked_into="v8/lib"), [["a", "b"], ["c", "d"]])
        self.assertIn("build obj/v8/other/e.o: cxx", (self.scratch / "obj/v8/other.ninja").read_text())

    def test_what_is_left_out_is_nowhere(self):
        self.assertEqual(self.rewrite(leave_out=["b.cc"]), [["a", "c"], ["d"]])
        self.assertNotIn("b.o", (self.scratch / "obj/v8/base.ninja").read_text())

    def test_what_the_data_names_must_be_there(self):
        for change in ({"leave_out": ["e.cc"]}, {"units": [["a.cc", "e.cc"]]}, {"targets": ["none"]}, {"replace": [["-O9", ""]]}):
            with self.subTest(change), tempfile.TemporaryDirectory() as folder:
                self.scratch = Path(folder)
                with self.assertRaises(unity.UnityError):
                    self.rewrite(**change)

    def test_a_right_file_is_left_untouched(self):
        file = self.scratch / "file"
        unity.write_if_changed(file, "text")
        os.utime(file, (1, 1))
        unity.write_if_changed(file, "text")
        self.assertEqual(file.stat().st_mtime, 1)


class Compile(WithScratch):
    """What becomes of ninja's answers; a script stands in for ninja."""

    def run_ninja(self, text):
        (self.scratch / "unity/base").mkdir(parents=True)
        (self.scratch / "unity/base/00.cc").write_text('#include "a.cc"\n#include "b.cc"\n')
        (self.scratch / "unity/base/01.cc").write_text('#include "c.cc"\n')
        (self.scratch / "ninja").write_text(f"#!/bin/sh\necho '[1/1] CXX unity/base/00.o'\n{text}\n")
        (self.scratch / "ninja").chmod(0o755)
        path = f"{self.scratch}:{os.environ['PATH']}"
        with unittest.mock.patch.dict(os.environ, PATH=path), contextlib.redirect_stderr(io.StringIO()):
            return from_source.compile_all(self.scratch, BUILD)

    def test_a_clash_is_given_back_to_be_halved(self):
        text = 'case "$*" in *-n*) exit 0; esac; echo "FAILED: unity/base/00.o "; echo "error: redefinition"; exit 1'
        self.assertEqual(self.run_ninja(text), ["unity/base/00.o"])
        self.assertEqual(unity.read_halved(self.scratch), {"unity/base/00"})

    def test_any_other_failure_ends_the_build_with_what_was_said(self):
        text = 'case "$*" in *-n*) exit 0; esac; echo "FAILED: unity/base/01.o "; echo "disk full"; exit 1'
        with self.assertRaisesRegex(from_source.BuildError, "disk full"):
            self.run_ninja(text)

    def test_success_leaves_nothing_to_halve(self):
        self.assertEqual(self.run_ninja("exit 0"), [])


class ProgressLine(unittest.TestCase):
    """Steps and minutes left are judged by the weights of the steps."""

    def test_minutes_left_follow_the_weights(self):
        now, stream = [0.0], io.StringIO()
        progress = Progress({"heavy": 300, "light": 100}, stream, lambda: now[0])
        now[0] = 100.0
        progress.finish("light")
        self.assertEqual(stream.getvalue(), "v8: 1/2 steps, 2 min gone, 5 min left\n")

    def test_without_a_terminal_a_line_comes_now_and_then(self):
        now, stream = [0.0], io.StringIO()
        progress = Progress({str(step): 1 for step in range(100)}, stream, lambda: now[0])
        for step in range(100):
            now[0] += 1
            progress.finish(str(step))
        self.assertEqual(len(stream.getvalue().splitlines()), 4)


if __name__ == "__main__":
    unittest.main()
