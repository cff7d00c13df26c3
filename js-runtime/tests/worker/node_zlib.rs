//! `node:zlib`.

use crate::support::{Setup, evaluate, run};
use vitrine_wire::Outcome;

#[test]
fn codecs_do_what_node_does() {
    run(async {
        for (imports, body, expected) in CASES {
            assert_eq!(evaluate(imports, body).await, *expected, "{imports} {body}");
        }
    });
}

// Express and others compress an answer so: what is written reaches the visitor when it is flushed.
#[test]
fn a_stream_gives_what_was_flushed_before_it_ends() {
    run(async {
        let source = "import zlib from 'node:zlib'; import { Readable } from 'node:stream';
            export default async (request) => {
              const br = request.url.endsWith('br');
              const packer = br ? zlib.createBrotliCompress({ params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }) : zlib.createGzip();
              const unpacker = br ? zlib.createBrotliDecompress() : zlib.createGunzip();
              let heard; packer.on('data', (chunk) => { if (!unpacker.write(chunk)) packer.pause(); unpacker.once('drain', () => packer.resume()); });
              packer.on('end', () => unpacker.end());
              setTimeout(() => { packer.write('<p>head</p>'); packer.flush(); }, 1);
              unpacker.once('data', (data) => { heard = String(data); packer.end('tail'); });
              let rest = ''; for await (const chunk of unpacker) rest += chunk;
              return new Response(`${heard} ${rest}`);
            };";
        let worker = Setup::fetch(source).boot().await;
        for path in ["/gzip", "/br"] {
            assert_eq!(worker.get(path).await.text(), "<p>head</p> <p>head</p>tail");
        }
    });
}

#[test]
fn a_call_that_takes_too_long_is_ended() {
    run(async {
        let source = "import zlib from 'node:zlib'; const bytes = new Uint8Array(1 << 24);
            for (let i = 0; i < bytes.length; i++) bytes[i] = (i * i) >> (i % 13);
            // The codec is not optimized here, and would take minutes by its usual quality.
            const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: 3 };
            const calls = { '/br': () => zlib.brotliCompressSync(bytes, { params }), '/': () => [] };
            export default (request) => new Response(String(calls[new URL(request.url).pathname]().length));";
        let worker = Setup::fetch(source).limits(|limits| limits.cpu_ms = 300).boot().await;
        assert_eq!(worker.get("/br").await.done.outcome, Outcome::CpuLimit);
        assert_eq!(worker.get("/").await.text(), "0");
    });
}

#[test]
fn memory_of_codecs_counts_for_the_limit() {
    run(async {
        let source = "import zlib from 'node:zlib'; let kept = [];
            const fill = (create) => { while (true) { const codec = create(); codec.write('x'); kept.push(codec); } };
            const pages = { '/deflate': () => fill(zlib.createGzip), '/br': () => fill(zlib.createBrotliCompress),
              '/closed': () => { for (let i = 0; i < 500; i++) { const codec = zlib.createGzip(); codec.write('x'); codec.close(); } return 'closed'; },
              '/lost': async () => { for (let i = 0; i < 500; i++) { const codec = zlib.createGzip(); codec.write('x'); await new Promise((done) => setTimeout(done, i % 8)); } return 'lost'; } };
            export default async (request) => new Response(await pages[new URL(request.url).pathname]());";
        let setup = Setup::fetch(source).limits(|limits| {
            limits.heap_mb = 64;
            limits.cpu_ms = 20_000;
            limits.wall_ms = 60_000;
        });
        let worker = setup.boot().await;
        for path in ["/closed", "/lost"] {
            let answer = worker.get(path).await;
            assert_eq!(answer.done.outcome, Outcome::Ok, "{path}");
            assert_eq!(answer.text(), path[1..]);
        }
        for path in ["/deflate", "/br"] {
            assert_eq!(worker.get(path).await.done.outcome, Outcome::HeapLimit, "{path}");
        }
    });
}

/// Imports, the body of a function, and what Node.js 22 gives for it.
const CASES: &[(&str, &str, &str)] = &[
    (
        "import zlib from 'node:zlib';",
        r#"const text = 'a line of text that is there more than once\n'.repeat(3000); const input = Buffer.from(text); const out = [];
         const pairs = [['gzip', 'gunzip'], ['deflate', 'inflate'], ['deflateRaw', 'inflateRaw'], ['brotliCompress', 'brotliDecompress'], ['gzip', 'unzip'], ['deflate', 'unzip']];
         for (const [pack, unpack] of pairs) {
         const packed = zlib[pack + 'Sync'](text); const later = await new Promise((done, fail) => zlib[pack](input, (error, data) => error ? fail(error) : done(data)));
         const back = await new Promise((done, fail) => zlib[unpack](later, (error, data) => error ? fail(error) : done(data)));
         out.push([zlib[unpack + 'Sync'](packed).equals(input), back.equals(input), packed.length < 2000, Buffer.isBuffer(packed)]);
         }
         for (const level of [0, 1, 9]) for (const strategy of [0, 2, 3, 4]) out.push(zlib.inflateSync(zlib.deflateSync(input, { level, strategy, memLevel: 1, windowBits: 9 })).equals(input));
         const dictionary = Buffer.from('a line of text'); const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: 1, [zlib.constants.BROTLI_PARAM_LGWIN]: 10 };
         out.push(zlib.inflateSync(zlib.deflateSync(input, { dictionary }), { dictionary }).equals(input), zlib.inflateRawSync(zlib.deflateRawSync(input, { dictionary }), { dictionary }).equals(input),
         zlib.brotliDecompressSync(zlib.brotliCompressSync(input, { params })).equals(input), zlib.gunzipSync(Buffer.concat([zlib.gzipSync('a'), zlib.gzipSync('b'), Buffer.alloc(3)])).toString(),
         zlib.crc32('hello'), zlib.crc32(Buffer.from('lo'), zlib.crc32('hel')), zlib.gunzipSync(zlib.gzipSync('').subarray()).length, zlib.deflateSync('abc', { info: true }).engine.bytesWritten);
         return out"#,
        r#"[[true,true,true,true],[true,true,true,true],[true,true,true,true],[true,true,true,true],[true,true,true,true],[true,true,true,true],true,true,true,true,true,true,true,true,true,true,true,true,true,true,true,"ab",907060870,907060870,0,3]"#,
    ),
    (
        "import zlib from 'node:zlib';",
        r#"const data = zlib.gzipSync('abc'.repeat(50)); const wrong = Buffer.from(data); wrong[wrong.length - 6] ^= 1; const dictionary = Buffer.from('abc'); const failures = [];
         const calls = [() => zlib.gunzipSync(Buffer.from('xx')), () => zlib.gunzipSync(data.subarray(0, 15)), () => zlib.gunzipSync(wrong), () => zlib.inflateRawSync(Buffer.from([7, 7, 7])), () => zlib.inflateSync(zlib.deflateSync('abc', { dictionary })),
         () => zlib.inflateSync(zlib.deflateSync('abc', { dictionary }), { dictionary: Buffer.from('b') }), () => { try { zlib.brotliDecompressSync(Buffer.from('xxxxxxx')); } catch (error) { return error.code.slice(0, 17) + error.message; } }, () => zlib.brotliDecompressSync(zlib.brotliCompressSync('hello world hello').subarray(0, 6)),
         () => zlib.gzipSync('x', { level: 99 }), () => zlib.gunzipSync(zlib.gzipSync(Buffer.alloc(1e6)), { maxOutputLength: 100 }), () => zlib.gzipSync(5), () => zlib.createBrotliCompress({ params: { 99: 1 } }), () => zlib.crc32(1)];
         for (const call of calls) try { failures.push(String(call())); } catch (error) { failures.push([error.name, error.code, error.errno, error.message]); }
         failures.push(await new Promise((done) => zlib.createGunzip().on('error', (error) => done([error.code, error.message])).end('nonsense')));
         return failures"#,
        r#"[["Error","Z_DATA_ERROR",-3,"incorrect header check"],["Error","Z_BUF_ERROR",-5,"unexpected end of file"],["Error","Z_DATA_ERROR",-3,"incorrect data check"],["Error","Z_DATA_ERROR",-3,"invalid block type"],["Error","Z_NEED_DICT",2,"Missing dictionary"],["Error","Z_NEED_DICT",2,"Bad dictionary"],"ERR__ERROR_FORMATDecompression failed",["Error","Z_BUF_ERROR",-5,"unexpected end of file"],["RangeError","ERR_OUT_OF_RANGE",null,"The value of \"options.level\" is out of range. It must be >= -1 and <= 9. Received 99"],["RangeError","ERR_BUFFER_TOO_LARGE",null,"Cannot create a Buffer larger than 100 bytes"],["TypeError","ERR_INVALID_ARG_TYPE",null,"The \"buffer\" argument must be of type string or an instance of Buffer, TypedArray, DataView, or ArrayBuffer. Received type number (5)"],["RangeError","ERR_BROTLI_INVALID_PARAM",null,"99 is not a valid Brotli parameter"],["TypeError","ERR_INVALID_ARG_TYPE",null,"The \"data\" argument must be of type string or an instance of Buffer, TypedArray, or DataView. Received type number (1)"],["Z_DATA_ERROR","incorrect header check"]]"#,
    ),
    (
        "import zlib from 'node:zlib'; import { pipeline } from 'node:stream/promises'; import { Readable } from 'node:stream'; import { buffer, text } from 'node:stream/consumers'; import { promisify } from 'node:util';",
        r#"const out = []; const once = (stream, event) => new Promise((done) => stream.once(event, done));
         for (const [create, undo] of [['createGzip', 'createGunzip'], ['createDeflate', 'createInflate'], ['createDeflateRaw', 'createInflateRaw'], ['createBrotliCompress', 'createBrotliDecompress']]) {
         const packer = zlib[create](); const unpacker = zlib[undo](); const seen = []; packer.pipe(unpacker); unpacker.on('data', (data) => seen.push(String(data)));
         packer.write('first '); packer.flush(); await once(unpacker, 'data'); packer.write('second'); await new Promise((done) => packer.flush(done)); packer.end(' third'); await once(unpacker, 'end');
         out.push(seen.join(''), seen[0]);
         }
         const changed = zlib.createDeflate({ level: 1 }); changed.write('a'.repeat(1000)); await new Promise((done) => changed.params(9, 0, done)); changed.end('b'); out.push((await text(changed.pipe(zlib.createInflate()))).length);
         const big = Buffer.alloc(3e6, 'some words and more '); const chunks = function* () { for (let i = 0; i < big.length; i += 1e5) yield big.subarray(i, i + 1e5); };
         const packed = await buffer(Readable.from(chunks()).pipe(zlib.createGzip({ chunkSize: 64 }))); out.push((await promisify(zlib.gunzip)(packed)).equals(big));
         let total = 0; await pipeline(Readable.from(chunks()), zlib.createBrotliCompress({ params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }), zlib.createBrotliDecompress(), async (source) => { for await (const chunk of source) total += chunk.length; }); out.push(total);
         const twice = zlib.createGzip(); twice.reset(); twice.close(); out.push(twice.destroyed, await text(new Response(packed).body.pipeThrough(new DecompressionStream('gzip'))).then((t) => t.length));
         return out"#,
        r#"["first second third","first ","first second third","first ","first second third","first ","first second third","first ",1001,true,3000000,true,3000000]"#,
    ),
    (
        "import zlib from 'node:zlib';",
        r#"return [zlib.constants, zlib.codes].map((table) => zlib.crc32(JSON.stringify(Object.entries(table).filter(([name]) => !/ZSTD|VERNUM/.test(name)).sort())))"#,
        r#"[2256129672,1750453443]"#,
    ),
];
