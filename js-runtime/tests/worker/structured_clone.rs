//! structuredClone and messages: what is copied, what is handed over, what is refused. The values are those of Node.js 22.

use crate::support::{evaluate, run};

#[test]
fn buffers_and_ports_are_transferred() {
    run(async {
        let body = "const buffer = new Uint8Array([1, 2, 3]).buffer;
          const moved = structuredClone({ inside: [buffer] }, { transfer: [buffer] }).inside[0];
          const view = new Float64Array([0.5]);
          const moved_view = structuredClone(view, { transfer: [view.buffer] });
          const copied = structuredClone(moved);
          const grown = structuredClone(new ArrayBuffer(2, { maxByteLength: 8 }));
          const { port1, port2 } = new MessageChannel();
          const heard = new Promise((done) => { port2.onmessage = ({ data }) => done(data); });
          const sent = new ArrayBuffer(5);
          const other = new MessageChannel();
          port1.postMessage({ sent, port: other.port2 }, [sent, other.port2]);
          const data = await heard;
          const answer = new Promise((done) => { other.port1.onmessage = (event) => done(event.data); });
          data.port.postMessage('through it');
          const result = [buffer.byteLength, [...new Uint8Array(moved)], view.length, moved_view[0], copied.byteLength, moved.byteLength, grown.maxByteLength,
            sent.byteLength, data.sent.byteLength, await answer];
          for (const port of [port1, port2, other.port1, data.port]) port.close();
          return result;";
        let expected = r#"[0,[1,2,3],0,0.5,3,3,8,0,5,"through it"]"#;
        assert_eq!(evaluate("", body).await, expected);
    });
}

#[test]
fn what_can_not_be_cloned_or_transferred_is_refused() {
    run(async {
        let body = "const names = [];
          const used = new ArrayBuffer(4);
          structuredClone(used, { transfer: [used] });
          for (const [value, transfer] of [
            [new Response('x')], [{ inside: [new URL('https://a.example/')] }], [new Headers()], [new Request('https://a.example/')], [new FormData()], [new Event('x')], [crypto.subtle],
            [new AbortController().signal], [new URLSearchParams()], [new TextDecoder()], [() => {}], [Symbol('x')], [1, [new Uint8Array(2)]], [1, [{}]], [1, [new Response('x')]], [used, [used]],
          ]) {
            try { structuredClone(value, { transfer }); names.push('cloned'); } catch (error) { names.push(error.name); }
          }
          const { port1 } = new MessageChannel();
          try { port1.postMessage({ response: new Response('x') }); names.push('sent'); } catch (error) { names.push(error.name); }
          port1.close();
          try { structuredClone(); } catch (error) { names.push(error.name); }
          return [...new Set(names.slice(0, -1))].concat(names.length, names.at(-1));";
        assert_eq!(evaluate("", body).await, r#"["DataCloneError",18,"TypeError"]"#);
    });
}

#[test]
fn what_can_be_cloned_still_is() {
    run(async {
        let body = "const blob = structuredClone(new Blob(['text']));
          const error = structuredClone(new DOMException('why', 'AbortError'));
          const shared = structuredClone({ a: new Map([[1, new Set([2n])]]), b: /x/g, c: new Date(5), d: Buffer.from('ab'), e: new RangeError('r') });
          const key = structuredClone(await crypto.subtle.generateKey('Ed25519', false, ['sign']));
          return [await blob.text(), error.name, error instanceof DOMException, shared.a.get(1).has(2n), String(shared.b), +shared.c, shared.d.length, shared.e.name, key.privateKey.type];";
        let expected = r#"["text","AbortError",true,true,"/x/g",5,2,"RangeError","private"]"#;
        assert_eq!(evaluate("", body).await, expected);
    });
}
