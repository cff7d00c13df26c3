//! `fetch` of URLs that hold their own content.

use crate::support::{Setup, evaluate, run};

#[test]
fn a_data_url_gives_its_type_and_bytes() {
    run(async {
        let told = evaluate(
            "",
            r#"
            const said = [];
            for (const url of ["data:,a%20b", "data:text/html;charset=utf-8,<p>%E2%82%AC", "data:application/json;base64,eyJhIjoxfQ==", "data:;base64,YQ",
              "data:;charset=x,a", "data:image/PNG ; base64 ,YQ==", "data:text/plain;base64,Y%20Q%3D%3D#frag", "data:nonsense,a%zz%4", "DATA:,x", "data:text/plain,a,b?c=d"]) {
              const answer = await fetch(url);
              said.push([answer.status, answer.statusText, answer.type, answer.headers.get("content-type"), await answer.text()].join("|"));
            }
            return said;"#,
        )
        .await;
        let expected = [
            "200|OK|basic|text/plain;charset=US-ASCII|a b",
            "200|OK|basic|text/html;charset=utf-8|<p>\u{20ac}",
            "200|OK|basic|application/json|{\\\"a\\\":1}",
            "200|OK|basic|text/plain;charset=US-ASCII|a",
            "200|OK|basic|text/plain;charset=x|a",
            "200|OK|basic|image/png|a",
            "200|OK|basic|text/plain|a",
            "200|OK|basic|text/plain;charset=US-ASCII|a%zz%4",
            "200|OK|basic|text/plain;charset=US-ASCII|x",
            "200|OK|basic|text/plain|a,b?c=d",
        ];
        let expected: Vec<String> = expected.iter().map(|one| format!("\"{one}\"")).collect();
        assert_eq!(told, format!("[{}]", expected.join(",")));
    });
}

#[test]
fn a_blob_url_gives_its_blob_until_it_is_revoked() {
    run(async {
        let told = evaluate(
            "",
            r#"
            const url = URL.createObjectURL(new Blob(["con", "tent"], { type: "text/css" }));
            const said = async (init) => {
              const answer = await fetch(url, init);
              return [answer.status, answer.headers.get("content-type"), answer.headers.get("content-length"), answer.url === url, await answer.text()].join("|");
            };
            const told = [await said(), await said({ method: "POST" }).catch((error) => error.name)];
            URL.revokeObjectURL(url);
            return [...told, await said().catch((error) => error.message.replace(url, "URL"))];"#,
        )
        .await;
        let expected = r#"["200|text/css|7|true|content","TypeError","fetch failed: URL names no Blob, or was revoked"]"#;
        assert_eq!(told, expected);
    });
}

#[test]
fn a_blob_url_gives_the_part_that_is_asked_for() {
    run(async {
        let told = evaluate(
            "",
            r#"
            const url = URL.createObjectURL(new Blob(["0123456789"], { type: "text/css" }));
            const said = async (range) => {
              const answer = await fetch(url, { headers: { range } });
              return [answer.status, answer.statusText, answer.headers.get("content-range"), answer.headers.get("content-type"), await answer.text()].join("|");
            };
            const parts = await Promise.all(["bytes=2-4", "bytes = 8-", "bytes=-3", "bytes=-99", "bytes=0-99"].map(said));
            const none = await Promise.all(["bytes=10-", "bytes=4-2", "bytes=-", "lines=1-2", "bytes=1-2,4-5", ""].map((range) => said(range).catch((error) => error.name)));
            return [...parts, ...new Set(none)];"#,
        )
        .await;
        let parts = ["2-4/10|text/css|234", "8-9/10|text/css|89", "7-9/10|text/css|789"];
        let all = ["0-9/10|text/css|0123456789"; 2];
        let parts = parts.iter().chain(&all).map(|part| format!("\"206|Partial Content|bytes {part}\""));
        let expected: Vec<String> = parts.chain(["\"TypeError\"".to_owned()]).collect();
        assert_eq!(told, format!("[{}]", expected.join(",")));
    });
}

#[test]
fn what_is_no_url_of_a_known_kind_is_a_type_error() {
    run(async {
        let told = evaluate(
            "",
            r#"
            const said = [];
            for (const url of ["data:text/plain", "data:;base64,a", "about:blank", "ftp://a.example/", "file:///etc/passwd", "//a", "http://u:p@a.example/"]) {
              said.push(await fetch(url).catch((error) => error.name));
            }
            return said;"#,
        )
        .await;
        assert_eq!(told, format!("[{}]", ["\"TypeError\""; 7].join(",")));
    });
}

/// A module of WebAssembly with nothing in it.
const WASM: &str = "data:application/wasm;base64,AGFzbQEAAAA=";

#[test]
fn a_data_url_at_module_scope_is_no_network() {
    run(async {
        let source = format!(
            "const {{ module }} = await WebAssembly.instantiateStreaming(fetch({WASM:?})); \
             export default () => new Response(String(module));"
        );
        let told = Setup::fetch(&source).boot().await.get("/").await.text();
        assert_eq!(told, "[object WebAssembly.Module]");
    });
}
