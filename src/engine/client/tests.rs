use super::*;
use crate::Engine;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use vitrine_core::config::Isolation;

/// An engine process that is a shell script.
fn engine(folder: &Path, script: &str) -> Engine {
    let program = folder.join("engine");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let options = || EngineOptions {
        isolation: Isolation::Process,
        data: folder.into(),
        docker: "/nonexistent".into(),
        worker: "/nonexistent".into(),
        program: program.clone(),
        runtime: None,
        host_id: "0123456789abcdef".into(),
    };
    loop {
        match Engine::spawn(options()) {
            // Another test forked while the script was open for writing.
            Err(EngineError::Gone(err)) if err.kind() == io::ErrorKind::ExecutableFileBusy => {}
            spawned => return spawned.unwrap(),
        }
    }
}

const DONE: &str = r#"'{"id":%s,"reply":{"reply":"done"}}\n'"#;

#[tokio::test]
async fn answers_find_their_questions_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"read a; read b
printf '{"id":2,"reply":{"reply":"logs","value":["second"]}}\n{"id":1,"reply":{"reply":"logs","value":["first"]}}\n'; read c"#;
    let engine = engine(folder.path(), script);
    let instance = "0123456789abcdef".parse().unwrap();
    let (first, second) = tokio::join!(engine.logs(&instance, 1), engine.logs(&instance, 1));
    assert_eq!((first.unwrap(), second.unwrap()), (vec!["first".to_string()], vec!["second".to_string()]));
}

#[tokio::test]
async fn a_failure_and_an_unfit_answer_are_errors_with_the_name_of_the_action() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"read a; printf '{"id":1,"reply":{"reply":"failed","value":"the disk is full"}}\n'
read b; printf '{"id":2,"reply":{"reply":"done"}}\n'; read c"#;
    let engine = engine(folder.path(), script);
    let failed = engine.probe().await.unwrap_err().to_string();
    assert_eq!(failed, "probe failed: the disk is full");
    let unfit = engine.list().await.unwrap_err().to_string();
    assert!(unfit.starts_with("list failed: the engine answered something else"), "{unfit}");
}

#[tokio::test]
async fn a_dead_engine_answers_its_callers_and_is_started_again() {
    let folder = tempfile::tempdir().unwrap();
    // The first life ends in the middle of a call; the second answers.
    let script = format!(
        "cd {}; read a; if [ ! -e lived ]; then : > lived; exit 3; fi; printf {} 1; read b",
        folder.path().display(),
        DONE
    );
    let engine = engine(folder.path(), &script);
    let EngineError::Gone(reason) = engine.probe().await.unwrap_err() else { panic!("not gone") };
    assert!(reason.to_string().contains("exit status: 3"), "{reason}");
    engine.probe().await.unwrap();
}

#[tokio::test]
async fn an_engine_that_never_lives_does_not_hold_up_its_callers() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path(), "exit 1");
    let begun = Instant::now();
    for _ in 0..5 {
        assert!(matches!(engine.list().await, Err(EngineError::Gone(_))));
    }
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_engine_that_says_nonsense_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path(), "read a; echo nonsense; read b");
    assert!(matches!(engine.list().await, Err(EngineError::Gone(_))));
}

#[tokio::test]
async fn a_hanging_engine_is_a_timeout() {
    let (calls, mut held) = mpsc::channel(1);
    let waiting = tokio::spawn(async move { call(&calls, Action::List, 50).await });
    let _unanswered = held.recv().await.unwrap();
    let err = waiting.await.unwrap().unwrap_err();
    assert!(matches!(err, EngineError::TimedOut { action: "list", timeout_ms: 50 }), "{err}");
}

#[test]
fn calls_that_nobody_waits_for_make_room() {
    let mut pending = Pending::default();
    let mut held = Vec::new();
    let ask = |pending: &mut Pending| {
        let (reply, answer) = oneshot::channel();
        (pending.ask(Call { action: Action::List, reply }).is_some(), answer)
    };
    for _ in 0..ENGINE_CALLS_MAX {
        let (sent, answer) = ask(&mut pending);
        assert!(sent);
        held.push(answer);
    }
    let (sent, mut refused) = ask(&mut pending);
    assert!(!sent);
    assert!(
        matches!(refused.try_recv().unwrap(), Ok(Reply::Failed(why)) if why.contains("wait for the engine"))
    );
    held.pop();
    assert!(ask(&mut pending).0);
}
