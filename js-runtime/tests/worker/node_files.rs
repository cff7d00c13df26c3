//! Node built-ins that have nothing behind them here: files, terminals, the machine.

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
      /bundler takes it in/.test(thrown(() => fs.readdirSync("/")).message)];
  },
  async writes() {
    return [thrown(() => fs.writeFileSync("x", "")).code, await called("mkdir", "x", { recursive: true }), await rm("x", { force: true }), await rm("x").catch(code)];
  },
  streams: () => new Promise((done) => fs.createReadStream("x").on("error", (error) => done(error.code))),
  require() {
    const require = createRequire(import.meta.url);
    return [require("node:path") === require("path"), isBuiltin("fs"), isBuiltin("child_process"), thrown(() => require("express")).code];
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
    Setup::fetch(SOURCE).boot().await.ask(Ask::get(&format!("/{name}"))).await.text()
}

#[test]
fn the_file_system_is_empty_and_can_not_be_written() {
    run(async {
        assert_eq!(given("reads").await, r#"["ENOENT","ENOENT","ENOENT",false,null,true]"#);
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
