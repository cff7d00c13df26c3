//! `node:fs`, which has the files of the bundle, and built-ins that have nothing behind them: terminals, the machine.

use crate::support::{Ask, Setup, run};

const SOURCE: &str = r#"
import fs, { readFileSync } from "node:fs";
import { readFile, rm } from "fs/promises";
import { createRequire, isBuiltin } from "node:module";
import os from "node:os";
import tty from "node:tty";
import Stream, { PassThrough, Writable } from "node:stream";
import { inherits } from "node:util";
import { fileURLToPath } from "node:url";
const code = (error) => error.code;
const thrown = (action) => { try { action(); } catch (error) { return error; } };
const called = (name, ...args) => new Promise((done) => fs[name](...args, (error, value) => done(error?.code ?? value)));
const tests = {
  async reads() {
    return [thrown(() => readFileSync("/etc/passwd")).code, await readFile("x").catch(code), await called("stat", "x"), fs.existsSync("/"), fs.statSync("x", { throwIfNoEntry: false }),
      /files of its bundle/.test(thrown(() => fs.readdirSync("/nowhere")).message)];
  },
  async files() {
    const url = new URL("./data/page.html", import.meta.url);
    const folder = await called("readdir", "/server/data", { withFileTypes: true });
    const stat = fs.statSync("server/data/page.html");
    process.chdir("/server/data");
    const relative = readFileSync("page.html", "utf8");
    process.chdir("/");
    return [readFileSync(url, "utf8"), await readFile("/server/data/page.html", { encoding: "latin1" }), relative, fs.existsSync("/server/data"),
      [stat.size, stat.isFile(), stat.mtime instanceof Date, fs.statSync("/server/data").isDirectory()],
      folder.map((entry) => [entry.name, entry.isDirectory()]), fs.readdirSync("/server/data", { recursive: true }),
      await readFile("/server/data").catch(code), fs.realpathSync("/server/../server/data/")];
  },
  async descriptors() {
    const fd = fs.openSync("/server/data/page.html");
    const buffer = Buffer.alloc(4);
    const read = [fs.readSync(fd, buffer), buffer.toString(), fs.readSync(fd, buffer, 0, 2, 1), buffer.toString("utf8", 0, 2)];
    fs.closeSync(fd);
    return [read, thrown(() => fs.fstatSync(fd)).code, thrown(() => fs.openSync("/server/data/page.html", "w")).code];
  },
  async slices() {
    const text = async (options) => (await fs.createReadStream("/server/data/page.html", options).toArray()).join("");
    return [await text({ encoding: "utf8" }), await text({ start: 3, end: 5, encoding: "utf8" })];
  },
  async writes() {
    return [thrown(() => fs.writeFileSync("x", "")).code, await called("mkdir", "x", { recursive: true }), await rm("x", { force: true }), await rm("x").catch(code)];
  },
  streams: () => new Promise((done) => fs.createReadStream("x").on("error", (error) => done(error.code))),
  require() {
    const require = createRequire(import.meta.url);
    return [require("node:path") === require("path"), isBuiltin("fs"), isBuiltin("sqlite"), thrown(() => require("express")).code];
  },
  machine: () => [os.EOL, os.platform(), os.cpus().length, tty.isatty(1), fileURLToPath(new URL("../client/a.txt", import.meta.url))],
  oldStream() {
    function Old() {
      Stream.call(this);
    }
    inherits(Old, Stream);
    const old = new Old();
    let got;
    old.on("a", (value) => (got = value)).emit("a", 5);
    return [got, old instanceof Stream, new Writable() instanceof Stream, {} instanceof Stream];
  },
  final: () => new Promise((done) => {
    const order = [];
    const stream = new PassThrough({ final(callback) { order.push("final"); callback(); } });
    stream.on("data", (chunk) => order.push(String(chunk)));
    stream.on("end", () => done(order));
    stream.end("a");
  }),
};
export default async (request) => Response.json((await tests[new URL(request.url).pathname.slice(1)]()) ?? null);
"#;

async fn given(name: &str) -> String {
    let setup =
        Setup::fetch(SOURCE).file("server/data/page.html", "<p>one</p>").file("server/data/more/a.txt", "a");
    setup.boot().await.ask(Ask::get(&format!("/{name}"))).await.text()
}

#[test]
fn the_file_system_has_the_bundles_files_and_can_not_be_written() {
    run(async {
        let page = r#""<p>one</p>""#;
        let files = format!(
            r#"[{page},{page},{page},true,[10,true,true,true],[["more",true],["page.html",false]],["more","more/a.txt","page.html"],"EISDIR","/server/data"]"#
        );
        assert_eq!(given("files").await, files);
        assert_eq!(given("descriptors").await, r#"[[4,"<p>o",2,"p>"],"EBADF","EROFS"]"#);
        assert_eq!(given("slices").await, format!(r#"[{page},"one"]"#));
        assert_eq!(given("reads").await, r#"["ENOENT","ENOENT","ENOENT",true,null,true]"#);
        assert_eq!(given("writes").await, r#"["EROFS","EROFS",null,"EROFS"]"#);
        assert_eq!(given("streams").await, r#""ENOENT""#);
    });
}

#[test]
fn require_and_the_machine_are_what_a_bundled_server_expects() {
    run(async {
        assert_eq!(given("require").await, r#"[true,true,false,"MODULE_NOT_FOUND"]"#);
        assert_eq!(given("machine").await, r#"["\n","linux",0,false,"/client/a.txt"]"#);
        assert_eq!(given("oldStream").await, "[5,true,true,false]");
        assert_eq!(given("final").await, r#"["a","final"]"#);
    });
}

#[test]
fn scripts_of_common_js_import_modules_and_modules_import_web_assembly() {
    run(async {
        let entry = "import { createRequire } from 'node:module'; import add from './add.wasm'; import same from './add.wasm?module';
            const told = createRequire(import.meta.url)('./lib/app.cjs');
            const answer = async (wasm) => (await WebAssembly.instantiate(wasm)).exports.answer();
            export default { fetch: async () => Response.json([add instanceof WebAssembly.Module, await answer(add), await answer(same), await told()]) };";
        let mut setup = Setup::fetch(entry);
        let script = "leaked = 1; module.exports = async () => (await import('./modules/0.mjs')).default;";
        let wasm: [u8; 39] = [
            0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 10, 1, 6, 97, 110, 115, 119,
            101, 114, 0, 0, 10, 6, 1, 4, 0, 65, 42, 11,
        ];
        for (path, content) in [
            ("server/lib/app.cjs", script.as_bytes()),
            ("server/lib/modules/0.mjs", b"export default 'imported';"),
            ("server/add.wasm", &wasm),
        ] {
            setup.files.insert(path.to_owned(), content.into());
        }
        let worker = setup.boot().await;
        assert_eq!(worker.get("/").await.text(), r#"[true,42,42,"imported"]"#);
    });
}
