//! What an isolate tells by events: rejections that are caught late, entries of `performance`, messages between channels.

use crate::support::{evaluate, run};

#[test]
fn a_rejection_that_is_caught_late_is_told() {
    run(async {
        let told = evaluate(
            "import { AsyncLocalStorage } from 'node:async_hooks';",
            "
            const store = new AsyncLocalStorage();
            const seen = [];
            addEventListener('unhandledrejection', (event) => {
              event.preventDefault();
              seen.push(`left ${event.reason}`);
              if (event.reason === 'at once') event.promise.catch(() => {});
            });
            onrejectionhandled = (event) => { seen.push(`${event.type} ${event.reason} ${event.promise instanceof Promise} ${store.getStore()}`); };
            const pause = () => new Promise((done) => setTimeout(done, 5));
            const late = Promise.reject('late');
            const same = Promise.reject('same slice');
            Promise.reject('at once');
            Promise.reject('never');
            await null;
            same.catch(() => {});
            await pause();
            store.run('here', () => late.catch(() => {}));
            await pause();
            late.catch(() => {});
            await pause();
            onrejectionhandled = null;
            return seen.sort();",
        )
        .await;
        let expected = r#"["left at once","left late","left never","rejectionhandled late true here"]"#;
        assert_eq!(told, expected);
    });
}

#[test]
fn a_rejection_that_a_listener_catches_for_another_is_not_told() {
    run(async {
        let told = evaluate(
            "",
            "
            const seen = [];
            let second;
            onunhandledrejection = (event) => { event.preventDefault(); seen.push(event.reason); second?.catch(() => {}); };
            onrejectionhandled = (event) => { seen.push(`handled ${event.reason}`); };
            Promise.reject('first');
            second = Promise.reject('second');
            await new Promise((done) => setTimeout(done, 5));
            onunhandledrejection = onrejectionhandled = null;
            return seen;",
        )
        .await;
        assert_eq!(told, r#"["first"]"#);
    });
}

#[test]
fn an_observer_is_told_of_marks_and_measures() {
    run(async {
        let told = evaluate(
            "",
            "
            const seen = [];
            const observer = new PerformanceObserver((list) => { for (const { entryType, name } of list.getEntries()) seen.push(`${entryType} ${name}`); });
            performance.mark('before');
            observer.observe({ type: 'mark', buffered: true });
            performance.mark('after');
            performance.measure('between', 'before', 'after');
            await new Promise((done) => setTimeout(done, 5));
            observer.disconnect();
            performance.mark('late');
            await new Promise((done) => setTimeout(done, 5));
            return [seen, PerformanceObserver.supportedEntryTypes, typeof PerformanceObserverEntryList];",
        )
        .await;
        assert_eq!(told, r#"[["mark before","mark after"],["mark","measure"],"function"]"#);
    });
}

#[test]
fn channels_of_one_name_tell_each_other() {
    run(async {
        let told = evaluate(
            "",
            "
            const seen = [];
            const [one, two, three, other] = ['a', 'a', 'a', 'b'].map((name) => new BroadcastChannel(name));
            two.onmessage = ({ data, isTrusted, constructor: { name } }) => { data.n += 1; seen.push(`two ${data.n} ${isTrusted} ${name}`); };
            three.addEventListener('message', ({ data }) => seen.push(`three ${data.n}`));
            for (const quiet of [one, other]) quiet.onmessage = () => seen.push('wrong');
            const message = { n: 1 };
            one.postMessage(message);
            message.n = 7;
            const before = seen.length;
            await new Promise((done) => setTimeout(done, 5));
            three.close();
            one.postMessage({ n: 2 });
            two.close();
            await new Promise((done) => setTimeout(done, 5));
            const errors = [];
            for (const refused of [() => one.postMessage(() => {}), () => two.postMessage(1), () => new BroadcastChannel(), () => one.postMessage()]) {
              try { refused(); } catch (error) { errors.push(error.name); }
            }
            return [before, seen, errors, one.name, String(one), Object.keys(BroadcastChannel.prototype)];",
        )
        .await;
        let expected = r#"[0,["two 2 true MessageEvent","three 1"],["DataCloneError","InvalidStateError","TypeError","TypeError"],"a","[object BroadcastChannel]",["name","postMessage","close","onmessage","onmessageerror"]]"#;
        assert_eq!(told, expected);
    });
}

#[test]
fn a_handler_attribute_keeps_an_object_and_calls_a_function() {
    run(async {
        let told = evaluate(
            "",
            "
            const kept = [];
            const handler = { handleEvent() { kept.push('wrong'); } };
            onrejectionhandled = handler;
            kept.push(onrejectionhandled === handler);
            onrejectionhandled = 5;
            kept.push(onrejectionhandled);
            return kept;",
        )
        .await;
        assert_eq!(told, "[true,null]");
    });
}
