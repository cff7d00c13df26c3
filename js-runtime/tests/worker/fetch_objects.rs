//! Headers, Request, Response and FormData as their standards have them. Node.js 22 says the same but for `FormData.length` and `priority`.

use crate::support::{Setup, evaluate, run};

/// Runs each snippet, in which `thrown` gives the name of what a function throws, and compares what it returns, as JSON.
async fn expect(cases: &[(&str, &str)]) {
    const HELPERS: &str = "const thrown = async (f) => { try { await f(); return null; } catch (error) { return error.name; } };";
    for (body, expected) in cases {
        assert_eq!(evaluate(HELPERS, body).await, *expected, "{body}");
    }
}

#[test]
fn a_body_is_taken_once() {
    run(async {
        expect(&[
            (
                "const r = new Response('x'); const stream = r.body; await r.text(); return [stream.locked, r.body === stream, r.bodyUsed, await thrown(() => stream.getReader()), await thrown(() => r.clone())]",
                r#"[true,true,true,"TypeError","TypeError"]"#,
            ),
            (
                "const r = new Request('https://a.b', { method: 'POST', body: 'x' }); new Request(r); return [r.bodyUsed, r.body.locked, await thrown(() => r.text()), await thrown(() => fetch(r))]",
                r#"[true,true,"TypeError","TypeError"]"#,
            ),
            (
                "const r = new Response(new Blob(['ab', 'c'], { type: 'a/b' })); const c = r.clone(); return [r.headers.get('content-type'), await r.text(), new Uint8Array(await c.arrayBuffer()).length, r.bodyUsed, r.body.locked]",
                r#"["a/b","abc",3,true,true]"#,
            ),
            (
                "const r = new Response(new Blob(['ab'])); const reader = r.body.getReader(); const { value } = await reader.read(); return [value.length, r.bodyUsed, await thrown(() => r.text())]",
                r#"[2,true,"TypeError"]"#,
            ),
            (
                "const r = new Response(null); return [r.body, r.bodyUsed, await r.text(), await r.text(), r.bodyUsed]",
                r#"[null,false,"","",false]"#,
            ),
            (
                "const r = new Response(new ReadableStream({ pull() { throw new RangeError('x'); } })); return [await thrown(() => r.formData()), r.bodyUsed]",
                r#"["RangeError",true]"#,
            ),
            (
                "const r = new Request('https://a.b', { method: 'POST', body: 'kept' }); const c = new Request(r, { body: null, method: 'PUT' }); return [c.method, await c.text()]",
                r#"["PUT","kept"]"#,
            ),
            (
                "const form = new FormData(); form.append('a', new File(['x'], 'f', { lastModified: 123 }), 'g'); const { name, lastModified } = form.get('a'); return [name, lastModified, (await new Response(form).formData()).get('a').name]",
                r#"["g",123,"g"]"#,
            ),
        ])
        .await;
    });
}

#[test]
fn headers_that_an_app_did_not_make_cannot_be_changed() {
    run(async {
        expect(&[
            (
                "const told = []; for (const r of [Response.error(), Response.redirect('https://a.b/'), await fetch('data:,x'), (await fetch('data:,x')).clone()]) { for (const change of [(h) => h.set('a', 'b'), (h) => h.append('a', 'b'), (h) => h.delete('a')]) told.push(await thrown(() => change(r.headers))); } return [...new Set(told)]",
                r#"["TypeError"]"#,
            ),
            (
                "const r = await fetch('data:,x'); const copy = new Response(r.body, r); copy.headers.set('a', 'b'); const h = new Headers(r.headers); h.set('c', 'd'); return [copy.headers.get('a'), h.get('c'), r.headers.has('c')]",
                r#"["b","d",false]"#,
            ),
            (
                "const e = Response.error(); const r = Response.redirect('https://a.b/c', 308); return [e.type, e.status, e.ok, r.status, r.headers.get('location'), await thrown(() => Response.redirect('/c')), await thrown(() => Response.redirect('https://a.b', 200))]",
                r#"["error",0,false,308,"https://a.b/c","TypeError","RangeError"]"#,
            ),
        ])
        .await;
    });
}

#[test]
fn iteration_is_live_and_has_its_own_class() {
    run(async {
        expect(&[
            (
                "const h = new Headers({ b: '1', a: '2' }); const got = []; for (const [name] of h) { got.push(name); if (name === 'a') h.set('c', '3'); if (name === 'b') h.delete('a'); } return got",
                r#"["a","b"]"#,
            ),
            (
                "const h = new Headers([['x', '1'], ['set-cookie', 'a'], ['set-cookie', 'b'], ['X', '2']]); return [[...h], [...h.keys()], [...h.values()], [...h.entries()].length]",
                r#"[[["set-cookie","a"],["set-cookie","b"],["x","1, 2"]],["set-cookie","set-cookie","x"],["a","b","1, 2"],3]"#,
            ),
            (
                "const it = new Headers().entries(); const proto = Object.getPrototypeOf(it); return [Object.prototype.toString.call(it), Object.keys(proto), Object.getPrototypeOf(proto) === Object.getPrototypeOf(Object.getPrototypeOf([].values())), await thrown(() => proto.next.call({})), it[Symbol.iterator]() === it, new FormData().keys()[Symbol.toStringTag]]",
                r#"["[object Headers Iterator]",["next"],true,"TypeError",true,"FormData Iterator"]"#,
            ),
            (
                "const form = new FormData(); form.append('a', '1'); const got = []; for (const [name] of form) { got.push(name); if (got.length < 3) form.append(name + 'x', '2'); } return got",
                r#"["a","ax","axx"]"#,
            ),
            (
                "const h = new Headers({ a: '1' }); h[Symbol.iterator] = function* () { yield ['b', '2']; }; return [...new Headers(h)]",
                r#"[["b","2"]]"#,
            ),
        ])
        .await;
    });
}

#[test]
fn the_shape_is_that_of_web_idl() {
    run(async {
        expect(&[
            (
                "return Object.entries({ Headers, FormData, Request, Response }).map(([name, c]) => { const d = Object.getOwnPropertyDescriptors(c.prototype); return [name, c.length, Object.entries(d).filter(([key, { enumerable }]) => !enumerable && key !== 'constructor').map(([key]) => key), d[Symbol.toStringTag].value, d[Symbol.toStringTag].writable, d.text?.enumerable, Object.getPrototypeOf(c) === Function.prototype] })",
                r#"[["Headers",0,[],"Headers",false,null,true],["FormData",0,[],"FormData",false,null,true],["Request",1,[],"Request",false,true,true],["Response",0,[],"Response",false,true,true]]"#,
            ),
            (
                "return ['append', 'delete', 'get', 'getSetCookie', 'has', 'set', 'forEach', 'entries'].map((name) => Headers.prototype[name].length)",
                "[2,1,1,0,1,2,1,0]",
            ),
            (
                "const h = new Headers(); const f = new FormData(); return Promise.all([() => h.get(), () => h.set('a'), () => h.append('a'), () => h.has(), () => h.delete(), () => h.forEach(), () => f.append('a'), () => f.get(), () => f.set('a'), () => f.append('a', 'b', 'c'), () => Response.json(), () => Response.redirect(), () => new Request()].map(thrown))",
                &format!("[{}]", ["\"TypeError\""; 13].join(",")),
            ),
            (
                "return Promise.all([() => new Headers(null), () => new Headers(1), () => new Headers(['ab']), () => new Headers({ [Symbol('a')]: 'b' }), () => new Headers({ a: Symbol('b') }), () => new Headers([['a']]), () => new Headers({ a: '\\u0100' }), () => new Response('', { headers: null })].map(thrown))",
                &format!("[{}]", ["\"TypeError\""; 8].join(",")),
            ),
            (
                "const u = 'https://a.b/'; return Promise.all([() => new Request(u, { referrer: 'http://[' }), () => new Request(u, { cache: 'only-if-cached' }), () => new Request(u, { mode: 'navigate' }), () => new Request(u, { window: {} }), () => new Request(u, { priority: 'x' }), () => new Request(u, { duplex: 'full', method: 'POST', body: 'x' }), () => new Request(u, { signal: {} })].map(thrown))",
                &format!("[{}]", ["\"TypeError\""; 7].join(",")),
            ),
            (
                "const r = (referrer) => new Request('https://a.b/', { referrer }).referrer; return [new Request('https://a.b/').referrer, r(''), r('about:client'), r('https://c.d'), new Request('https://a.b/', { cache: 'only-if-cached', mode: 'same-origin' }).cache]",
                r#"["about:client","","about:client","https://c.d/","only-if-cached"]"#,
            ),
            (
                "return ['fetch', 'setTimeout', 'clearInterval', 'atob', 'structuredClone', 'queueMicrotask', 'reportError', 'crypto', 'performance', 'navigator', 'Headers', 'URL'].map((name) => Object.getOwnPropertyDescriptor(globalThis, name).enumerable)",
                "[true,true,true,true,true,true,true,true,true,true,false,false]",
            ),
            (
                "return [clearInterval.name, clearImmediate.name, clearTimeout.name, clearTimeout === clearInterval, Object.hasOwn(ReadableStream, 'from'), ReadableStream.from.length]",
                r#"["clearInterval","clearImmediate","clearTimeout",false,true,1]"#,
            ),
        ])
        .await;
    });
}

#[test]
fn a_response_that_the_app_answers_with_has_been_used() {
    run(async {
        let source = "const kept = new Response('x');
            export default (request) => request.url.endsWith('/told') ? Response.json([kept.bodyUsed, kept.body.locked]) : kept;";
        let worker = Setup::fetch(source).boot().await;
        assert_eq!(worker.get("/").await.text(), "x");
        assert_eq!(worker.get("/told").await.text(), "[true,true]");
        let blob = "export default () => new Response(new Blob(['a', 'b']), { headers: { 'content-type': 'a/b' } });";
        let answer = Setup::fetch(blob).boot().await.get("/").await;
        assert_eq!((answer.text(), answer.header("content-type")), ("ab".into(), vec!["a/b".into()]));
    });
}
