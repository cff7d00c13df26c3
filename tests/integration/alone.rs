//! The worker image alone under a scheduler: plain `docker run`, its health status, its signals and exit codes.

use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use vitrine_core::health::container::Rule;
use vitrine_core::health::{ContainerHealth, HealthStatus, Probe};
use vitrine_test_support::archive::{bundle_dir, fixture};
use vitrine_test_support::cli::Cli;
use vitrine_test_support::docker;
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(90);

/// `/up` passes and fails as the script says, one letter a request, the last one for ever; `/slow` takes two seconds;
/// `/never` never answers.
const APP: &str = "let asked = 0;\n\
    export default async (request, env) => {\n\
      const path = new URL(request.url).pathname;\n\
      console.log(`asked ${path}`);\n\
      if (path === '/up') {\n\
        const script = env.SCRIPT ?? 'P';\n\
        const passes = script[Math.min(asked++, script.length - 1)] === 'P';\n\
        return new Response('up', { status: passes ? 200 : 500 });\n\
      }\n\
      if (path === '/slow') await new Promise((done) => setTimeout(done, 2000));\n\
      if (path === '/never') await new Promise(() => {});\n\
      return new Response('page');\n\
    };\n";
const MANIFEST: &str = r#"{"limits":{"isolates":1,"wall_ms":60000},"env":["SCRIPT"]}"#;
const UP: &str = "VITRINE_HEALTHCHECK_URL=http://127.0.0.1:8000/up";

/// A container that is removed when dropped.
struct Container {
    id: String,
    /// Mounted: it stays as long as the container.
    bundle: Option<TempDir>,
}

impl Drop for Container {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("log of the container:\n{}", self.log());
        }
        docker(&["rm", "--force", &self.id]);
        drop(self.bundle.take());
    }
}

fn docker(args: &[&str]) -> String {
    let done = Command::new("docker").args(args).stderr(Stdio::null()).output().unwrap();
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

/// `None` where no Docker is. Made once: tests that begin together would each hand it over.
fn image() -> Option<String> {
    static IMAGE: OnceLock<String> = OnceLock::new();
    let made = || Cli::new(&["image"]).ok().stdout.trim().to_owned();
    docker::is_there().then(|| IMAGE.get_or_init(made).clone())
}

fn app() -> TempDir {
    let bundle = bundle_dir(&[("server/index.js", APP), ("vitrine.json", MANIFEST)]);
    // The image's user is nobody in particular.
    std::fs::set_permissions(bundle.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    bundle
}

impl Container {
    fn run(image: &str, bundle: &Path, options: &[&str], arguments: &[&str]) -> Self {
        let mount = format!("{}:/app:ro", bundle.display());
        let fixed =
            ["run", "--detach", "--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"];
        let more = ["--security-opt", "no-new-privileges", "--volume", &mount];
        let solo = [image, "solo", "--bundle", "/app"];
        let id = docker(&[&fixed[..], &more, options, &solo, arguments].concat());
        assert!(!id.is_empty(), "docker run failed");
        Self { id, bundle: None }
    }

    fn of_app(image: &str, options: &[&str], arguments: &[&str]) -> Self {
        let bundle = app();
        let mut container = Self::run(image, bundle.path(), options, arguments);
        container.bundle = Some(bundle);
        container
    }

    fn state(&self) -> Value {
        let text = docker(&["inspect", "--format", "{{json .State}}", &self.id]);
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn log(&self) -> String {
        let done = Command::new("docker").args(["logs", &self.id]).output().unwrap();
        String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned()
    }

    fn until(&self, status: &str) {
        wait_until(status, PATIENCE, || {
            let state = self.state();
            assert_eq!(state["Running"], true, "{}", self.log());
            (state["Health"]["Status"] == status).then_some(())
        });
    }

    fn until_ready(&self) {
        wait_until("ready", PATIENCE, || self.log().contains("ready edge=").then_some(()));
    }

    /// A request from inside, under way when this returns.
    fn ask(&self, path: &str) -> std::process::Child {
        let url = format!("http://127.0.0.1:8000{path}");
        let arguments = ["exec", &self.id, "/bin/vitrine", "healthcheck", "--url", &url];
        let asking = Command::new("docker").args(arguments).stderr(Stdio::null()).spawn().unwrap();
        let asked = format!("asked {path}");
        wait_until("the request is under way", PATIENCE, || self.log().contains(&asked).then_some(()));
        asking
    }

    /// SIGTERM, and SIGKILL after this many seconds; exit code and how long it took.
    fn stop(&self, seconds: u32) -> (Value, Duration) {
        let begun = Instant::now();
        docker(&["stop", "--time", &seconds.to_string(), &self.id]);
        (self.state()["ExitCode"].clone(), begun.elapsed())
    }
}

#[test]
fn it_is_healthy_when_it_serves_and_stops_with_0() {
    let Some(image) = image() else { return };
    let container = Container::of_app(&image, &["--health-interval", "1s"], &[]);
    assert_eq!(container.state()["Health"]["Status"], "starting");
    container.until("healthy");
    // A request that is under way when SIGTERM comes has its answer.
    let mut slow = container.ask("/slow");
    let (code, took) = container.stop(30);
    assert_eq!((code, slow.wait().unwrap().code()), (Value::from(0), Some(0)), "{}", container.log());
    println!("SIGTERM to exit 0 with a request of 2 s under way: {took:?}");
}

#[test]
fn it_leaves_in_time_whatever_is_under_way_and_is_killed_only_by_a_scheduler_in_a_hurry() {
    let Some(image) = image() else { return };
    let container = Container::of_app(&image, &[], &["--stop-timeout", "3"]);
    container.until_ready();
    let mut never = container.ask("/never");
    let (code, took) = container.stop(20);
    assert_eq!(code, 0, "{}", container.log());
    // Half of so short a time is for the drain; whoever asks would wait for three seconds.
    assert!((Duration::from_millis(1_400)..Duration::from_secs(4)).contains(&took), "{took:?}");
    assert_ne!(never.wait().unwrap().code(), Some(0));
    println!("SIGTERM to exit 0 with a request that never ends, --stop-timeout 3: {took:?}");

    let hurried = Container::of_app(&image, &[], &[]);
    hurried.until_ready();
    let mut never = hurried.ask("/never");
    let (code, took) = hurried.stop(2);
    assert_eq!(code, 137, "{took:?}");
    never.wait().unwrap();
}

#[test]
fn a_bundle_that_can_not_be_served_is_exit_1_with_the_reason() {
    let Some(image) = image() else { return };
    let container = Container::run(&image, &fixture("throws-at-import"), &[], &[]);
    wait_until("the end", PATIENCE, || (container.state()["Running"] == false).then_some(()));
    assert_eq!(container.state()["ExitCode"], 1);
    assert!(container.log().contains("settings.currency is missing"), "{}", container.log());
}

/// One look at a container: the checks that ended since the last, and what Docker says then.
type Look = (Vec<Probe>, HealthStatus);

/// How often our rule says something else than Docker.
fn differences(rule: Rule, looks: &[Look]) -> usize {
    let mut ours = ContainerHealth::new(rule);
    let differs = |(probes, theirs): &&Look| {
        for probe in probes {
            ours.probed(*probe);
        }
        ours.status() != *theirs
    };
    looks.iter().filter(differs).count()
}

/// A container with these settings of Docker's, looked at until it was checked so often.
fn watch_docker(image: &str, script: &str, retries: u32, start_period_s: u64, checks: usize) -> Vec<Look> {
    let (retries_text, start_text) = (retries.to_string(), format!("{start_period_s}s"));
    let script = format!("SCRIPT={script}");
    let options = [
        "--health-interval",
        "1s",
        "--health-timeout",
        "5s",
        "--health-retries",
        &retries_text,
        "--health-start-period",
        &start_text,
        "--env",
        UP,
        "--env",
        &script,
    ];
    let container = Container::of_app(image, &options, &[]);
    let time = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let (mut looks, mut seen, mut last) = (Vec::new(), 0, jiff::Timestamp::UNIX_EPOCH);
    let end = Instant::now() + PATIENCE;
    while seen < checks {
        assert!(Instant::now() < end, "{seen} checks only: {}", container.state());
        let state = container.state();
        let started = time(&state["StartedAt"]);
        let log = state["Health"]["Log"].as_array().cloned().unwrap_or_default();
        let mut probes = Vec::new();
        for check in log.iter().filter(|check| time(&check["Start"]) > last).collect::<Vec<_>>() {
            let begun = time(&check["Start"]);
            let took = time(&check["End"]).duration_since(begun);
            probes.push(Probe {
                begun: begun.duration_since(started).unsigned_abs(),
                took: took.unsigned_abs(),
                passed: check["ExitCode"] == 0,
            });
            (last, seen) = (begun, seen + 1);
        }
        let theirs = match state["Health"]["Status"].as_str() {
            Some("healthy") => HealthStatus::Healthy,
            Some("unhealthy") => HealthStatus::Unhealthy,
            _ => HealthStatus::Unknown,
        };
        looks.push((probes, theirs));
    }
    looks
}

#[test]
fn docker_and_our_rule_agree_check_by_check() {
    let Some(image) = image() else { return };
    let checks: usize = std::thread::scope(|scope| {
        let rows = [("PFFPFFFP", 3, 0), ("FFPFFFP", 2, 30)];
        let runs = rows.map(|(script, retries, start)| {
            let image = &image;
            scope.spawn(move || {
                let looks = watch_docker(image, script, retries, start, 11);
                let timeout = Duration::from_secs(5);
                let rule =
                    |retries, start| Rule { timeout, retries, start_period: Duration::from_secs(start) };
                assert_eq!(differences(rule(retries, start), &looks), 0, "{looks:?}");
                // The same history shows which rule it is not.
                let off = [rule(retries - 1, start), rule(retries + 1, start), rule(retries, 0)];
                for wrong in off.iter().filter(|off| **off != rule(retries, start)) {
                    assert!(differences(*wrong, &looks) > 0, "{wrong:?} agrees too: {looks:?}");
                }
                looks.iter().map(|(probes, _)| probes.len()).sum::<usize>()
            })
        });
        runs.into_iter().map(|run| run.join().unwrap()).sum()
    });
    println!("{checks} checks, the same status after each; rules that are off by one differ");
}
