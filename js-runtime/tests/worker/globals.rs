//! The globals and built-in modules of an app.

use crate::support::{Ask, Setup, run};

/// Runs the body of an async function in an app and returns what it returns, as text.
async fn evaluate(imports: &str, body: &str) -> String {
    let source = format!(
        "{imports}\nexport default async (request) => new Response(String(await (async () => {{ {body} }})()));"
    );
    Setup::fetch(&source).boot().await.ask(Ask::get("/p?q=1")).await.text()
}

#[test]
fn the_minimum_common_api_is_there() {
    run(async {
        let names = "AbortController AbortSignal Blob ByteLengthQueuingStrategy CompressionStream CountQueuingStrategy
          Crypto CryptoKey CustomEvent DOMException DecompressionStream ErrorEvent Event EventTarget File FormData Headers MessageChannel
          MessageEvent MessagePort Performance PromiseRejectionEvent ReadableByteStreamController ReadableStream ReadableStreamBYOBReader
          ReadableStreamBYOBRequest ReadableStreamDefaultController ReadableStreamDefaultReader Request Response SubtleCrypto TextDecoder
          TextDecoderStream TextEncoder TextEncoderStream TransformStream TransformStreamDefaultController URL URLPattern URLSearchParams
          WebAssembly WritableStream WritableStreamDefaultController WritableStreamDefaultWriter globalThis atob btoa clearInterval clearTimeout
          console crypto fetch navigator performance queueMicrotask reportError self setInterval setTimeout structuredClone";
        let missing = evaluate(
            "",
            &format!("return `{names}`.split(/\\s+/).filter((n) => globalThis[n] === undefined)"),
        )
        .await;
        assert_eq!(missing, "");
        let seen =
            evaluate("", "return ['Deno', '__bootstrap', '__infra'].filter((n) => n in globalThis)").await;
        assert_eq!(seen, "");
    });
}

#[test]
fn platform_objects_do_what_they_say() {
    run(async {
        for (body, expected) in [
            ("return new URL('../a?b=c', 'https://x.y/z/w').href", "https://x.y/a?b=c"),
            ("return structuredClone(new Map([[1, { a: [2n] }]])).get(1).a[0]", "2"),
            ("return atob(btoa('\\xe9'))", "\u{e9}"),
            ("return new TextDecoder().decode(new TextEncoder().encode('\\u20ac'))", "\u{20ac}"),
            (
                "return (await new Response(new Blob(['ab', 'c']).stream()).text()) + new File(['x'], 'n').name",
                "abcn",
            ),
            (
                "const { port1, port2 } = new MessageChannel(); const got = new Promise((r) => port2.onmessage = (e) => r(e.data)); port1.postMessage({ v: 7 }); const { v } = await got; port1.close(); return v",
                "7",
            ),
            (
                "const s = new Blob(['squeeze'.repeat(99)]).stream().pipeThrough(new CompressionStream('gzip')).pipeThrough(new DecompressionStream('gzip')); return (await new Response(s).text()).length",
                "693",
            ),
            (
                "const c = new AbortController(); const s = AbortSignal.any([c.signal]); c.abort('why'); return s.reason",
                "why",
            ),
            (
                "const s = AbortSignal.timeout(5); await new Promise((r) => s.addEventListener('abort', r)); return s.reason.name",
                "TimeoutError",
            ),
            (
                "return performance.now() > 0 && performance.timeOrigin > 1e12 && Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 5000",
                "true",
            ),
            ("return crypto.randomUUID().length + crypto.getRandomValues(new Uint8Array(8)).length", "44"),
            (
                "return Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode('abc'))).toString('hex').slice(0, 8)",
                "ba7816bf",
            ),
            (
                "const k = await crypto.subtle.importKey('raw', new Uint8Array(32), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']); const d = new Uint8Array([1]); const s = await crypto.subtle.sign('HMAC', k, d); return [s.byteLength, await crypto.subtle.verify('HMAC', k, s, d), await crypto.subtle.verify('HMAC', k, s, new Uint8Array([2]))]",
                "32,true,false",
            ),
            (
                "const t = []; setTimeout(() => t.push('b'), 2); setTimeout(() => t.push('a')); const i = setInterval(() => { t.push('i'); if (t.length > 4) clearInterval(i); }, 4); const no = setTimeout(() => t.push('never'), 1); clearTimeout(no); await new Promise((r) => setTimeout(r, 60)); return t.join('')",
                "abiii",
            ),
            ("return navigator.userAgent", "Vitrine"),
            (
                "const h = new Headers([['B', '2'], ['a', '1']]); h.append('b', '3'); return [...h].join(';') + h.get('B')",
                "a,1;b,2, 32, 3",
            ),
            ("try { new Headers({ 'bad name': 'x' }) } catch (e) { return e.constructor.name }", "TypeError"),
            (
                "const r = new Request('https://x.y/', { method: 'post', body: 'hi' }); const c = r.clone(); return r.method + (await r.text()) + (await c.text()) + r.headers.get('content-type')",
                "POSThihitext/plain;charset=UTF-8",
            ),
            (
                "const kept = new Response(new Uint8Array([1, 2])); for await (const _ of new Response(kept.clone().body).body); new Uint8Array(await kept.clone().arrayBuffer()).fill(9); return await kept.bytes()",
                "1,2",
            ),
            (
                "const r = new Request('https://x.y/', { method: 'POST', body: 'pay' }); const other = new Request(r); const used = r.bodyUsed; const again = await r.text().catch((e) => e.name); return [used, again, await other.text()]",
                "true,TypeError,pay",
            ),
            (
                "const r = new Response('x'); await r.text(); const refused = []; for (const use of [() => new Response(r.body), () => r.clone(), () => r.body.getReader()]) { try { refused.push(await use()); } catch (e) { refused.push(e.name); } } return [...refused, r.body.locked, r.bodyUsed]",
                "TypeError,TypeError,TypeError,true,true",
            ),
            (
                "const r = new Response('xy'); const reader = r.body.getReader(); await reader.read(); reader.releaseLock(); return [r.bodyUsed, await r.text().catch((e) => e.name)]",
                "true,TypeError",
            ),
            (
                "const [a, b] = new Response('x').body.tee(); return (await new Response(a).text()) + (await new Response(b).text())",
                "xx",
            ),
            (
                "const s = ReadableStream.from(['a', 'b']).pipeThrough(new TextEncoderStream()); return await new Response(s).text()",
                "ab",
            ),
            (
                "return new Response('x') instanceof Response && new Response('x').body instanceof ReadableStream && new TransformStream().readable instanceof ReadableStream",
                "true",
            ),
            (
                "return Object.prototype.toString.call(request) + Object.prototype.toString.call(new Headers())",
                "[object Request][object Headers]",
            ),
        ] {
            assert_eq!(evaluate("", body).await, expected, "{body}");
        }
    });
}

#[test]
fn forms_are_read_and_written() {
    run(async {
        let body = "const form = new FormData(); form.append('a', 'x\\ny'); form.append('f', new Blob(['file'], { type: 'text/x' }), 'n\"m.txt');
          const sent = new Response(form); const got = await sent.formData(); const file = got.get('f');
          const plain = await new Response('k=v+w&k=2', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }).formData();
          return [JSON.stringify(got.get('a')), file.name, file.type, await file.text(), plain.getAll('k')].join('|')";
        assert_eq!(evaluate("", body).await, "\"x\\r\\ny\"|n\"m.txt|text/x|file|v w,2");
    });
}

#[test]
fn state_follows_its_request_across_await() {
    run(async {
        let worker = Setup::fetch(
            "import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
             const store = new AsyncLocalStorage();
             const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
             export default (request) => store.run(new URL(request.url).pathname, async () => {
               await sleep(Math.random() * 20);
               const bound = AsyncResource.bind(() => store.getStore());
               const outside = store.exit(() => store.getStore());
               const inner = await store.run('inner', async () => { await sleep(1); return store.getStore(); });
               await new Promise((done) => setTimeout(done, 0));
               return new Response([store.getStore(), bound(), outside, inner].join());
             });",
        )
        .boot()
        .await;
        let paths: Vec<String> = (0..16).map(|number| format!("/{number}")).collect();
        let answers = futures_util::future::join_all(paths.iter().map(|path| worker.get(path))).await;
        for (path, answer) in paths.iter().zip(answers) {
            assert_eq!(answer.text(), format!("{path},{path},,inner"));
        }
    });
}

#[test]
fn node_built_ins_do_what_server_builds_ask_of_them() {
    run(async {
        for (imports, body, expected) in [
            (
                "import { Buffer } from 'buffer';",
                "return Buffer.from('h\u{e9}').toString('base64') + Buffer.byteLength('\u{20ac}') + Buffer.concat([Buffer.from([1]), Buffer.alloc(2, 3)]).toString('hex') + Buffer.from('YWI', 'base64url') + Buffer.isBuffer(Buffer.from('x').subarray(0, 1)) + Buffer.from([1, 2]).readUInt16BE(0)",
                "aMOp3010303abtrue258",
            ),
            (
                "import EventEmitter, { once } from 'node:events';",
                "const e = new EventEmitter(); const t = []; e.once('a', (x) => t.push(x)); e.emit('a', 1); e.emit('a', 2); setTimeout(() => e.emit('b', 3)); t.push((await once(e, 'b'))[0]); return t",
                "1,3",
            ),
            (
                "import util from 'node:util';",
                "return util.inspect({ a: [1, { b: null }] }) + util.format('%s:%i', 'x', 4.2) + util.types.isDate(new Date()) + util.isDeepStrictEqual({ a: [1] }, { a: [1] })",
                "{ a: [ 1, { b: null } ] }x:4truetrue",
            ),
            (
                "import * as path from 'node:path'; import { fileURLToPath, pathToFileURL } from 'url';",
                "return [path.join('/a', '../b', 'c.js'), path.extname('x.tar.gz'), path.relative('/a/b', '/a/c/d'), fileURLToPath('file:///a%20b'), pathToFileURL('/x y').href].join()",
                "/b/c.js,.gz,../c/d,/a b,file:///x%20y",
            ),
            (
                "import { Readable, PassThrough, Transform, pipeline, Writable } from 'stream'; import { finished } from 'node:stream/promises';",
                "const up = new Transform({ transform(c, e, done) { done(null, c.toString().toUpperCase()); } }); const got = []; const sink = new Writable({ write(c, e, done) { got.push(c.toString()); setTimeout(done, 1); } }); await new Promise((ok, no) => pipeline(Readable.from(['a', 'b']), up, new PassThrough(), sink, (e) => e ? no(e) : ok())); for await (const c of Readable.from(['x', 'y'])) got.push(c); return got.join('')",
                "ABxy",
            ),
            (
                "import { Readable } from 'stream';",
                "const sleep = (ms) => new Promise((done) => setTimeout(done, ms)); const got = []; const read = async (s) => { try { for await (const c of s) got.push(String(c)); got.push('end'); } catch (e) { got.push(e.code ?? e.message); } }; const broken = new Readable({ read() {} }); broken.on('error', () => {}); broken.destroy(new Error('early')); await sleep(1); await read(broken); const cut = new Readable({ read() {} }); cut.push('a'); setTimeout(() => cut.destroy(), 5); await read(cut); await read(Readable.from(['b'])); const late = new Readable({ read() {} }); late.on('end', () => got.push('late')); late.resume(); late.destroy(); late.push(null); await sleep(1); return got",
                "early,a,ERR_STREAM_PREMATURE_CLOSE,b,end",
            ),
            (
                "import { Readable } from 'stream'; import { once } from 'node:events';",
                "const of = (...chunks) => { const left = [...chunks, null]; return new Readable({ read() { this.push(left.shift()); } }); }; const got = []; of('a').once('data', (c) => got.push(String(c))); of('b').addListener('data', (c) => got.push(String(c))); const c = of('c'); await once(c, 'readable'); got.push(String(c.read())); const euro = Buffer.from('\u{20ac}'); for await (const text of of(euro.subarray(0, 1), euro.subarray(1)).setEncoding('utf8')) got.push(text); const d = of(euro.subarray(0, 1), euro.subarray(1), euro.subarray(0, 2)).setEncoding('utf8'); d.on('data', (text) => got.push(text)); await once(d, 'end'); return got",
                "a,b,c,\u{20ac},\u{20ac},\u{fffd}",
            ),
            (
                "import util from 'node:util'; import { setInterval as every, setTimeout as after, clearTimeout as stop } from 'node:timers';",
                "const got = [await util.promisify(setTimeout)(1, 'slept'), await util.promisify(setImmediate)('soon')]; const no = after(() => got.push('never'), 1).unref(); stop(no); await new Promise((done) => { const timer = every(() => { got.push('tick'); timer.close(); done(); }, 1).unref(); }); return got",
                "slept,soon,tick",
            ),
            (
                "import { createHash, createHmac, randomBytes, timingSafeEqual } from 'crypto';",
                "return createHash('md5').update('a').update('b').digest('hex').slice(0, 6) + createHmac('sha256', 'k').update('x').digest('base64').length + randomBytes(4).length + timingSafeEqual(Buffer.from('a'), Buffer.from('a'))",
                "187ef4444true",
            ),
            (
                "import { setTimeout as sleep } from 'node:timers/promises'; import process from 'node:process';",
                "await sleep(1); let at = 0; process.nextTick(() => at = 1); await null; await null; return [at, process.env.NODE_ENV, typeof process.hrtime.bigint(), process.cwd()]",
                "1,production,bigint,/",
            ),
        ] {
            assert_eq!(evaluate(imports, body).await, expected, "{imports}");
        }
    });
}

#[test]
fn an_app_cannot_break_the_bridge_by_changing_the_globals() {
    run(async {
        let worker = Setup::fetch(
            "Array.prototype.push = () => { throw new Error('patched'); };
             Promise.prototype.then = () => { throw new Error('patched'); };
             Map.prototype.get = () => { throw new Error('patched'); };
             String.prototype.toLowerCase = () => { throw new Error('patched'); };
             Object.defineProperty(Object.prototype, 'get', { value: () => { throw new Error('patched'); }, configurable: true });
             delete Object.prototype.get;
             globalThis.Response.prototype.constructor = null;
             export default (request) => new Response(request.headers.get('X-A'), { headers: { 'X-B': 'c' } });",
        )
        .boot()
        .await;
        let answer = worker.ask(Ask::get("/").header("x-a", "still")).await;
        assert_eq!(answer.text(), "still");
        assert_eq!(answer.header("x-b"), ["c"]);
    });
}
