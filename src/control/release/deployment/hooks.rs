//! Hooks: what the operator has run at a deployment's stages, a command or a call.
//!
//! What fails or takes too long fails the stage. The operator's own programs run with the host's rights; nothing that an app or a
//! bundle says is more to them than a value.

use serde::Serialize;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use vitrine_core::config::{Hook, HookStage};
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::limits::{ERROR_TEXT_BYTES_MAX, HOOK_OUTPUT_BYTES_MAX, LAST_LINES_MS};
use vitrine_core::telemetry::error_chain;

/// What a hook is told.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Call {
    /// App.
    pub app: String,
    /// Version that is deployed.
    pub version: String,
    /// Version that is or was live before it.
    pub previous: Option<String>,
    /// See [`HookStage`].
    pub stage: HookStage,
    /// Where the deployed version is reached by its own name, if it has one.
    pub url: Option<String>,
}

/// Runs the hooks of a stage, one after the other.
///
/// # Errors
/// Which one failed, and how.
pub(super) async fn run(hooks: &[Hook], call: &Call) -> Result<(), String> {
    if failpoint::at("hooks.run") == Some(Fault::Skip) {
        return Ok(());
    }
    let of_this = |hook: &&Hook| {
        hook.stage == call.stage && hook.app.as_ref().is_none_or(|app| app.as_str() == call.app)
    };
    for hook in hooks.iter().filter(of_this) {
        let begun = tokio::time::Instant::now();
        let name = name(hook);
        let stage = call.stage.as_str();
        let ran = match (&hook.command, &hook.url) {
            (Some(command), _) => execute(command, &hook.env, call, hook.timeout_ms).await,
            (None, Some(url)) => post(url, call, hook.timeout_ms).await,
            (None, None) => Err("it has neither a command nor a URL".into()),
        };
        ran.map_err(|why| format!("the hook `{name}` ({stage}) failed: {why}"))?;
        let took_ms = begun.elapsed().as_millis() as u64;
        tracing::info!(app = call.app, version = call.version, stage, hook = name, took_ms, "a hook passed");
    }
    Ok(())
}

/// What everybody may read of a hook: the program, or the origin of the URL. The rest may hold a secret.
fn name(hook: &Hook) -> String {
    let origin = |url: &String| Some(reqwest::Url::parse(url).ok()?.origin().ascii_serialization());
    let program = hook.command.as_ref().and_then(|command| command.first());
    program.cloned().or_else(|| hook.url.as_ref().and_then(origin)).unwrap_or_default()
}

/// What a command needs to find programs, its user's files, and the form of texts and times. Everything else in the host's environment
/// (a supervisor's sockets, the operator's credentials) is passed only where the hook names it.
const PASSED: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

async fn execute(command: &[String], named: &[String], call: &Call, timeout_ms: u64) -> Result<(), String> {
    let (program, arguments) = command.split_first().ok_or("it has no program")?;
    let passed = PASSED.into_iter().chain(named.iter().map(String::as_str));
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(passed.filter_map(|name| Some((name, std::env::var_os(name)?))))
        .env("VITRINE_APP", &call.app)
        .env("VITRINE_VERSION", &call.version)
        .env("VITRINE_PREVIOUS", call.previous.as_deref().unwrap_or_default())
        .env("VITRINE_STAGE", call.stage.as_str())
        .env("VITRINE_URL", call.url.as_deref().unwrap_or_default())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // With what it starts, so that all of it can be ended.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("it can't be started: {error}"))?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).map(nix::unistd::Pid::from_raw);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let output = tokio::spawn(async move { tokio::join!(tail(stdout), tail(stderr)) });
    let ended = tokio::time::timeout(Duration::from_millis(timeout_ms), child.wait()).await;
    if let Some(group) = group {
        // What it left behind, or all of it when its time is over. Nothing of it may be there any more.
        let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
    }
    let status = match ended {
        Ok(status) => status.map_err(|error| format!("it can't be waited for: {error}"))?,
        Err(_) => return Err(format!("it took more than {timeout_ms} ms")),
    };
    if status.success() {
        return Ok(());
    }
    let said = tokio::time::timeout(Duration::from_millis(LAST_LINES_MS), output).await;
    let (out, err) = said.ok().and_then(Result::ok).unwrap_or_default();
    let said = if err.trim().is_empty() { out } else { err };
    Err(format!("{status}: {}", said.trim()))
}

/// The last bytes of a stream as text.
async fn tail(stream: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stream) = stream else { return String::new() };
    let mut kept = Vec::new();
    let mut piece = [0; HOOK_OUTPUT_BYTES_MAX];
    while let Ok(bytes @ 1..) = stream.read(&mut piece).await {
        kept.extend_from_slice(&piece[..bytes]);
        let surplus = kept.len().saturating_sub(HOOK_OUTPUT_BYTES_MAX);
        kept.drain(..surplus);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

async fn post(url: &str, call: &Call, timeout_ms: u64) -> Result<(), String> {
    // Fails only when a provider is there already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .timeout(Duration::from_millis(timeout_ms))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("vitrine/", env!("CARGO_PKG_VERSION")));
    // It reads the system's certificates.
    let built = tokio::task::spawn_blocking(|| client.build()).await;
    let client = built
        .map_err(|error| error.to_string())
        .and_then(|built| built.map_err(|error| error.to_string()))
        .map_err(|error| format!("HTTP can't be set up: {error}"))?;
    let answered = client.post(url).json(call).send().await;
    let mut response = answered.map_err(|error| {
        if error.is_timeout() {
            format!("it took more than {timeout_ms} ms")
        } else {
            error_chain(&error.without_url())
        }
    })?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let piece = response.chunk().await.ok().flatten().unwrap_or_default();
    let said = String::from_utf8_lossy(&piece[..piece.len().min(ERROR_TEXT_BYTES_MAX)]).into_owned();
    Err(format!("it answered {status}: {}", said.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> Call {
        Call {
            app: "shop".into(),
            version: "v2".into(),
            previous: Some("v1".into()),
            stage: HookStage::BeforeTraffic,
            url: Some("http://shop-v2.localhost".into()),
        }
    }

    fn hook(script: &str, timeout_ms: u64) -> Hook {
        let command = ["/bin/sh", "-c", script].map(String::from);
        Hook {
            stage: HookStage::BeforeTraffic,
            app: None,
            command: Some(command.into()),
            url: None,
            env: Vec::new(),
            timeout_ms,
        }
    }

    #[tokio::test]
    async fn a_command_is_told_what_is_deployed_and_its_end_decides() {
        let told = r#"test "$VITRINE_APP@$VITRINE_VERSION after $VITRINE_PREVIOUS" = "shop@v2 after v1""#;
        run(&[hook(told, 5_000)], &call()).await.unwrap();
        let error = run(&[hook("echo no shelf >&2; exit 3", 5_000)], &call()).await.unwrap_err();
        assert!(
            error.contains("no shelf") && error.contains('3') && error.contains("before_traffic"),
            "{error}"
        );
        let gone = Hook { command: Some(vec!["/nowhere/hook".into()]), ..hook("", 5_000) };
        assert!(run(&[gone], &call()).await.unwrap_err().contains("can't be started"));
    }

    #[tokio::test]
    async fn a_command_sees_the_short_list_and_what_its_hook_names() {
        // Cargo sets CARGO_PKG_NAME and CARGO_PKG_VERSION for every test.
        let names = "env | cut -d= -f1 | sort | tr '\\n' ' ' >&2; exit 1";
        let error = run(&[hook(names, 5_000)], &call()).await.unwrap_err();
        let seen: Vec<&str> = error.rsplit(": ").next().unwrap().split_whitespace().collect();
        assert!(seen.contains(&"PATH") && seen.contains(&"VITRINE_APP"), "{seen:?}");
        // The shell adds the last three by itself.
        let known = ["PATH", "HOME", "LANG", "TZ", "PWD", "SHLVL", "_"];
        let strange = seen.iter().find(|name| !known.contains(*name) && !name.starts_with("VITRINE_"));
        assert_eq!(strange, None);
        let told = r#"test "$CARGO_PKG_NAME" = vitrine-control -a -z "$CARGO_PKG_VERSION""#;
        let named = Hook { env: vec!["CARGO_PKG_NAME".into(), "NOT_THERE".into()], ..hook(told, 5_000) };
        run(&[named], &call()).await.unwrap();
    }

    #[tokio::test]
    async fn a_failure_tells_no_more_of_a_hook_than_its_program_or_origin() {
        let url = Some("http://me:hush@127.0.0.1:1/hush?token=hush".to_owned());
        let posted = Hook { command: None, url, ..hook("", 5_000) };
        for (hook, name) in
            [(posted, "`http://127.0.0.1:1`"), (hook("TOKEN=hush; exit 1", 5_000), "`/bin/sh`")]
        {
            let error = run(&[hook], &call()).await.unwrap_err();
            assert!(error.contains(name) && error.contains("before_traffic"), "{error}");
            assert!(!error.contains("hush"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_command_that_takes_too_long_is_ended_with_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("alive");
        // A child of the hook that would outlive it.
        let script = format!("(while :; do touch {0}; sleep 0.05; done) & wait", mark.display());
        let error = run(&[hook(&script, 500)], &call()).await.unwrap_err();
        assert!(error.contains("500 ms"), "{error}");
        assert!(mark.exists());
        // The signal may reach it in the middle of its last touch.
        tokio::time::sleep(Duration::from_millis(200)).await;
        std::fs::remove_file(&mark).unwrap();
        // Long enough for some more touches, if it lived.
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!mark.exists(), "its child goes on");
    }

    #[tokio::test]
    async fn hooks_of_other_stages_and_apps_are_not_run() {
        let later = Hook { stage: HookStage::AfterBake, ..hook("exit 1", 5_000) };
        let other = Hook { app: Some("blog".parse().unwrap()), ..hook("exit 1", 5_000) };
        run(&[later, other.clone()], &call()).await.unwrap();
        let mine = Hook { app: Some("shop".parse().unwrap()), ..other };
        run(&[mine], &call()).await.unwrap_err();
    }
}
