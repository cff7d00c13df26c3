//! Bundles that serve, and bundles that must not.

use crate::support::{Ask, Setup, run};
use futures_util::future::join_all;
use vitrine_wire::{BootFailure, BootStage};

async fn refused(setup: Setup) -> BootFailure {
    match setup.try_boot().await {
        Ok(_) => panic!("the bundle boots"),
        Err(failure) => failure,
    }
}

#[test]
fn syntax_errors_are_found_with_their_place() {
    run(async {
        let failure =
            refused(Setup::fetch("export default {\n  fetch() { return new Response('a' }\n};")).await;
        assert_eq!(failure.stage, BootStage::Compile, "{failure:?}");
        assert!(failure.message.contains("SyntaxError"), "{failure:?}");
        assert!(failure.message.contains("server/index.js:2"), "{failure:?}");
    });
}

#[test]
fn what_an_evaluation_throws_is_told() {
    run(async {
        for source in [
            "export default {};\nconst config = undefined;\nconfig.currency;",
            "const config = undefined;\n\nconfig.currency; globalThis.default = () => {};",
            "export default {};\nawait 1;\nundefined.currency;",
        ] {
            let failure = refused(Setup::fetch(source)).await;
            assert_eq!(failure.stage, BootStage::Evaluate, "{failure:?}");
            let error = failure.error.expect("the app's error");
            assert!(error.message.starts_with("TypeError: Cannot read properties of undefined"), "{error:?}");
            assert!(error.stack.contains("server/index.js:3:"), "{error:?}");
        }
    });
}

#[test]
fn a_hang_at_import_ends_within_its_bound() {
    run(async {
        let sources =
            ["export default {}; await new Promise(() => {});", "export default {}; for (;;);", "for (;;);"];
        for failure in join_all(sources.map(|source| refused(Setup::fetch(source)))).await {
            assert_eq!(failure.stage, BootStage::Evaluate, "{failure:?}");
            assert!(failure.message.contains("did not finish evaluating within"), "{failure:?}");
        }
    });
}

#[test]
fn imports_are_met_from_the_bundle_and_the_built_ins_only() {
    run(async {
        let worker = Setup::fetch(
            "import { name } from './parts/name.js';
             import data from './data.json' with { type: 'json' };
             import { sep } from 'path';
             export default async () => new Response(name + data.n + sep + (await import('./parts/late.js')).default);",
        )
        .file("server/parts/name.js", "export { name } from '../name.js';")
        .file("server/parts/late.js", "export default 'late';")
        .file("server/name.js", "export const name = 'n';")
        .file("server/data.json", "{\"n\": 7}")
        .boot()
        .await;
        assert_eq!(worker.get("/").await.text(), "n7/late");

        let failure = refused(Setup::fetch("import x from 'left-pad'; export default () => x;")).await;
        assert_eq!(failure.stage, BootStage::Compile);
        assert!(failure.message.contains("server/index.js imports \"left-pad\""), "{failure:?}");
        let failure = refused(Setup::fetch("import x from 'node:sqlite'; export default () => x;")).await;
        assert!(
            failure.message.contains("\"node:sqlite\"") && failure.message.contains("node:util"),
            "{failure:?}"
        );
        let failure = refused(Setup::fetch("import x from './gone.js'; export default () => x;")).await;
        assert!(failure.message.contains("\"server/gone.js\", which is not in the bundle"), "{failure:?}");
        let failure =
            refused(Setup::fetch("import x from 'ext:vitrine/runtime/boot.js'; export default () => x;"))
                .await;
        assert_eq!(failure.stage, BootStage::Compile, "{failure:?}");
    });
}

#[test]
fn exports_of_the_wrong_shape_are_named() {
    run(async {
        let failure = refused(Setup::fetch("export default { fetch: 'yes' };")).await;
        assert_eq!(failure.stage, BootStage::Contract);
        assert!(failure.message.contains("default (Object)"), "{failure:?}");
        let failure = refused(Setup::fetch("export const render = () => '';")).await;
        assert!(failure.message.contains("render (function)"), "{failure:?}");
        let failure = refused(Setup::render("export default () => '';")).await;
        assert!(failure.message.contains("a function named render"), "{failure:?}");
    });
}

#[test]
fn classic_scripts_export_by_globals_or_as_common_js() {
    run(async {
        let global = Setup::fetch(
            "(function () { globalThis.default = { fetch: () => new Response('global') }; })();",
        );
        assert_eq!(global.boot().await.get("/").await.text(), "global");
        let common = Setup::fetch(
            "const { sep } = require('node:path'); module.exports = { fetch: () => new Response('common' + sep) };",
        );
        assert_eq!(common.boot().await.get("/").await.text(), "common/");
        let render =
            Setup::render("function render(request) { return 'classic ' + new URL(request.url).pathname; }");
        assert_eq!(render.boot().await.get("/p").await.text(), "classic /p");
    });
}

#[test]
fn the_render_contract_takes_each_form() {
    run(async {
        let worker = Setup::render(
            "export async function render(request) {
               switch (new URL(request.url).pathname) {
                 case '/string': return '<h1>s</h1>';
                 case '/stream': return new Response('<h1>r</h1>').body;
                 case '/object': return { status: 404, headers: { 'x-a': 'b' }, body: 'none' };
                 case '/direct': return new ReadableStream({ type: 'direct', pull(c) { c.write('<h1>d</h1>'); c.end(); } });
                 case '/empty': return { status: 204 };
                 case '/response': return Response.redirect('https://elsewhere.example/', 303);
               }
             }",
        )
        .boot()
        .await;
        for (path, text) in [("/string", "<h1>s</h1>"), ("/stream", "<h1>r</h1>"), ("/direct", "<h1>d</h1>")]
        {
            let answer = worker.get(path).await;
            assert_eq!(answer.header("content-type"), ["text/html;charset=UTF-8"], "{path}");
            assert_eq!(answer.text(), text);
        }
        let object = worker.get("/object").await;
        assert_eq!((object.status(), object.header("x-a")), (404, vec!["b".to_owned()]));
        assert_eq!(worker.get("/empty").await.status(), 204);
        assert_eq!(worker.get("/response").await.header("location"), ["https://elsewhere.example/"]);
        let wrong = worker.ask(Ask::get("/other")).await.done.error.expect("an error");
        assert!(wrong.message.contains("it returned undefined"), "{wrong:?}");
    });
}

#[test]
fn an_accepted_release_serves_whatever_its_warm_paths_answer() {
    run(async {
        let source = "let renders = 0;
             export default async (request) => {
               const { pathname } = new URL(request.url);
               if (pathname === '/page') return new Response(`page ${renders}`);
               renders += 1;
               if (pathname === '/bad') return new Response('no shelf', { status: 503 });
               if (pathname === '/throws') throw new Error('not ready');
               if (pathname === '/spins') for (;;);
               return new Promise(() => {});
             }";
        for (path, failed) in [
            ("/bad", "/bad answered 503"),
            ("/throws", "not ready"),
            ("/spins", "/spins used more CPU time than its 500 ms (limits.cpu_ms)"),
            ("/hangs", "not rendered within 2000 ms"),
        ] {
            let mut setup = Setup::fetch(source).limits(|limits| limits.wall_ms = 60_000);
            setup.start.settings.warm = vec![path.to_owned()];
            setup.start.is_accepted = true;
            let worker = setup.boot().await;
            assert!(worker.get("/page").await.text().starts_with("page "), "{path}");
            let failure = worker.pool.warm_failure().expect(path);
            assert!(failure.message.contains(failed), "{path}: {failure:?}");
        }
        let mut setup = Setup::fetch(source);
        setup.start.settings.warm = vec!["/page".to_owned()];
        setup.start.is_accepted = true;
        assert_eq!(setup.boot().await.pool.warm_failure(), None);
    });
}

#[test]
fn warm_paths_must_pass_before_an_isolate_serves() {
    run(async {
        let source = "let renders = 0;
             export default (request) => {
               renders += 1;
               const { pathname, host } = new URL(request.url);
               if (pathname === '/bad') return new Response(`no shelf: ${'é'.repeat(400)}`, { status: 503 });
               if (pathname === '/throws') throw new Error('not ready');
               return new Response(`${renders} ${host}`);
             }";
        let warm = |path: &str| {
            let mut setup = Setup::fetch(source);
            setup.start.settings.warm = vec![path.to_owned()];
            setup
        };
        let answer = warm("/").boot().await.get("/").await.text();
        let renders: u32 = answer.split(' ').next().expect("a count").parse().expect("a number");
        assert!((4..=11).contains(&renders), "{answer}");
        let failure = refused(warm("/bad")).await;
        assert!(failure.message.contains("/bad answered 503"), "{failure:?}");
        let BootStage::Answered(answer) = failure.stage else { panic!("{failure:?}") };
        assert_eq!((&*answer.path, answer.status), ("/bad", 503));
        assert!(answer.body.starts_with("no shelf: é") && answer.body.ends_with('é'), "{answer:?}");
        assert!((290..=300).contains(&answer.body.len()), "{answer:?}");
        let failure = refused(warm("/throws")).await;
        assert_eq!(failure.stage, BootStage::Warm);
        assert!(failure.message.contains("not ready") && failure.error.is_some(), "{failure:?}");
        assert!(failure.message.contains("server/index.js:6:"), "its place: {failure:?}");
    });
}
