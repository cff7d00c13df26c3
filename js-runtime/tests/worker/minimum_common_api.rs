//! WinterTC's minimum common web API: every name of the standard has an example that behaves.

use crate::support::{Ask, Setup, evaluate, run};
use std::collections::BTreeSet;

/// What the standard lists (ECMA-429): interfaces, WebAssembly, and members of the global object.
const STANDARD: &str = "
    AbortController AbortSignal Blob ByteLengthQueuingStrategy CompressionStream CountQueuingStrategy Crypto CryptoKey
    CustomEvent DecompressionStream DOMException ErrorEvent Event EventTarget File FormData Headers MessageChannel MessageEvent
    MessagePort Performance PromiseRejectionEvent ReadableByteStreamController ReadableStream ReadableStreamBYOBReader
    ReadableStreamBYOBRequest ReadableStreamDefaultController ReadableStreamDefaultReader Request Response SubtleCrypto
    TextDecoder TextDecoderStream TextEncoder TextEncoderStream TransformStream TransformStreamDefaultController URL URLPattern
    URLSearchParams WritableStream WritableStreamDefaultController WritableStreamDefaultWriter
    WebAssembly.Exception WebAssembly.Global WebAssembly.Instance WebAssembly.Memory WebAssembly.Module WebAssembly.Table
    WebAssembly.Tag WebAssembly.CompileError WebAssembly.LinkError WebAssembly.RuntimeError WebAssembly.compile
    WebAssembly.compileStreaming WebAssembly.instantiate WebAssembly.instantiateStreaming WebAssembly.validate
    atob btoa clearInterval clearTimeout console crypto fetch globalThis navigator.userAgent onerror onrejectionhandled
    onunhandledrejection performance.now performance.timeOrigin queueMicrotask reportError self setInterval setTimeout
    structuredClone";

#[test]
fn every_name_of_the_minimum_common_api_behaves() {
    run(async {
        let said = Setup::fetch(include_str!("minimum_common_api.js")).boot().await.ask(Ask::get("/")).await;
        let said: serde_json::Value = serde_json::from_str(&said.text()).unwrap();
        let names = said["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
        let shown: BTreeSet<&str> = names.collect();
        let standard: BTreeSet<&str> = STANDARD.split_whitespace().collect();
        assert_eq!(shown.symmetric_difference(&standard).collect::<Vec<_>>(), Vec::<&&str>::new());
        assert_eq!(said["wrong"], serde_json::json!({}));
    });
}

#[test]
fn interfaces_have_the_form_that_web_idl_gives_them() {
    run(async {
        let told = evaluate(
            "",
            r#"
            const tag = ({ prototype }) => Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag);
            const shows = ({ prototype }, names) => names.every((name) => Object.getOwnPropertyDescriptor(prototype, name).enumerable);
            return [
              ...[Crypto, CryptoKey, SubtleCrypto].map((it) => `${it.length} ${tag(it).value} ${tag(it).writable} ${tag(it).enumerable}`),
              shows(Crypto, ["subtle", "getRandomValues", "randomUUID"]), shows(CryptoKey, ["type", "usages"]), shows(SubtleCrypto, ["digest"]),
              shows(Event, ["preventDefault", "stopPropagation", "stopImmediatePropagation", "composedPath", "cancelBubble"]),
              shows(MessageEvent, ["source"]), MessageEvent.length,
            ];"#,
        )
        .await;
        let tags = ["Crypto", "CryptoKey", "SubtleCrypto"].map(|name| format!("\"0 {name} false false\""));
        assert_eq!(told, format!("[{},true,true,true,true,true,1]", tags.join(",")));
    });
}
