//! One host after the other on the same data, each killed, and what the next one must find.

use super::state::{App, Op, Release};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use vitrine_test_support::archive::Archive;
use vitrine_test_support::docker;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::{Answer, Request};

/// Time for a host to end, or for what it does behind the scenes after a start.
const PATIENCE: Duration = Duration::from_secs(20);
const APP: &str = "/v1/apps/shop";

/// What came of a call.
#[derive(Debug)]
pub enum Told {
    /// It is done.
    Acknowledged,
    /// It is not: status and reason.
    Refused(u16, String),
    /// The host died before it answered.
    Nothing,
}

/// A host, and what it acknowledged.
pub struct Rig {
    host: Option<Host>,
    folder: Option<TempDir>,
    flags: Vec<&'static str>,
    /// Written for `FAILPOINT_FILE`.
    file: PathBuf,
    _file_folder: TempDir,
    /// Acknowledged, or found after a kill.
    pub app: App,
    /// How long each start on data took until `ready`.
    pub starts: Vec<Duration>,
    /// Whether the next start is the first one on its folder.
    first: bool,
    /// Number of kills so far.
    pub kills: usize,
    /// `FAILPOINTS` of every host.
    failpoints: String,
    /// Containers that ran when the host was killed.
    before: BTreeMap<String, String>,
}

impl Rig {
    pub fn new(flags: &[&'static str], failpoints: &str) -> Self {
        let file_folder = tempfile::tempdir().unwrap();
        let file = file_folder.path().join("failpoint");
        fs::write(&file, "").unwrap();
        let mut rig = Self {
            host: None,
            folder: Some(Host::folder_anew()),
            flags: flags.to_vec(),
            file,
            _file_folder: file_folder,
            app: App::default(),
            starts: Vec::new(),
            first: true,
            kills: 0,
            failpoints: failpoints.to_owned(),
            before: BTreeMap::new(),
        };
        assert!(rig.start(), "the first start");
        rig
    }

    pub fn host(&self) -> &Host {
        self.host.as_ref().unwrap()
    }

    /// Has the host die where it comes to this place for the nth time from now on; nowhere without one.
    pub fn die_at(&self, point: Option<(&str, usize)>) {
        let wish = point.map(|(name, time)| format!("{name} {time}")).unwrap_or_default();
        // Written at once: a half of it would be another wish.
        let staged = self.file.with_extension("new");
        fs::write(&staged, wish).unwrap();
        fs::rename(&staged, &self.file).unwrap();
    }

    /// Places that were passed since the last call.
    pub fn passed(&self) -> Vec<String> {
        let path = self.file.with_extension("passed");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(path);
        text.lines().map(String::from).collect()
    }

    /// Starts a host; whether it came to `ready`.
    pub fn start(&mut self) -> bool {
        let folder = self.folder.take().unwrap();
        // The log of one host at a time: what it says is read when it fails.
        let _ = fs::remove_file(folder.path().join("host.log"));
        let begun = Instant::now();
        let file = self.file.to_str().unwrap().to_owned();
        let environment = [("FAILPOINT_FILE", file.as_str()), ("FAILPOINTS", self.failpoints.as_str())];
        match Host::try_start(folder, &self.flags, &environment) {
            Ok(host) => {
                if !std::mem::take(&mut self.first) {
                    self.starts.push(begun.elapsed());
                }
                self.host = Some(host);
                true
            }
            Err(folder) => {
                self.folder = Some(folder);
                false
            }
        }
    }

    /// A host that is dead leaves its containers to its successor: for when there will be none.
    fn remove_containers(&self) {
        if let (None, Some(folder), true) = (&self.host, &self.folder, self.flags.contains(&"container")) {
            docker::containers_of(&folder.path().join("data")).iter().for_each(docker::remove);
        }
    }

    /// Leaves everything behind for an empty folder.
    pub fn begin_anew(&mut self) {
        self.remove_containers();
        self.first = true;
        self.folder = Some(Host::folder_anew());
    }

    /// SIGKILL, also for one that is dead by now.
    pub fn kill(&mut self) {
        self.before = self.running();
        if let Some(host) = self.host.take() {
            self.folder = Some(host.kill());
            self.kills += 1;
        }
    }

    pub fn log(&self) -> String {
        let folder = self.folder.as_ref().map(|folder| folder.path().join("host.log"));
        self.host.as_ref().map_or_else(|| fs::read_to_string(folder.unwrap()).unwrap_or_default(), Host::log)
    }

    /// Asks for a change.
    pub fn ask(&self, op: &Op, key: Option<&str>) -> Told {
        let json =
            |request: Request, body: String| request.header("content-type", "application/json").body(body);
        let call = |method, path: &str| self.host().call(method, &format!("{APP}{path}"));
        let value = |name: &str, text: &Option<String>| match text {
            Some(text) => json(call("PUT", &format!("/env/{name}")), format!(r#"{{"value":"{text}"}}"#)),
            None => call("DELETE", &format!("/env/{name}")),
        };
        let request = match op {
            Op::Deploy { version, text, preview } => {
                let query = preview.as_ref().map(|name| format!("?preview={name}")).unwrap_or_default();
                call("PUT", &format!("/releases/{version}{query}")).body(bundle(text))
            }
            Op::Promote { version } => {
                json(call("POST", "/promote"), format!(r#"{{"version":"{version}"}}"#))
            }
            Op::Rollback => json(call("POST", "/rollback"), "{}".into()),
            Op::Greet { greeting } => value("GREETING", greeting),
            Op::SetUnread { value: text } => value("UNREAD", text),
            Op::DeployBroken { version } => {
                let throws = Archive::empty().file("server/index.js", b"throw new Error('broken')");
                call("PUT", &format!("/releases/{version}")).body(throws.zst())
            }
            Op::Permit { token } => {
                // Nobody calls with it: any digest of its own does.
                let sha256 = format!("{:0>64}", token.trim_start_matches('t'));
                let body = format!(r#"{{"sha256":"{sha256}","apps":["*"],"verbs":["read"]}}"#);
                json(self.host().call("PUT", &format!("/v1/tokens/{token}")), body)
            }
            Op::Revoke { token } => self.host().call("DELETE", &format!("/v1/tokens/{token}")),
            Op::Remove { version } => call("DELETE", &format!("/releases/{version}")),
            // A removed app that is kept has its name until it is dropped.
            Op::RemoveApp => call("DELETE", "?now=true"),
            Op::Start | Op::Begin => return Told::Acknowledged,
        };
        let request = key.iter().fold(request, |request, key| request.header("idempotency-key", key));
        match request.try_send() {
            Ok(answer) if answer.complete && answer.status < 300 => Told::Acknowledged,
            Ok(answer) if answer.complete => Told::Refused(answer.status, answer.text().to_owned()),
            Ok(_) | Err(_) => Told::Nothing,
        }
    }

    /// The app as the host shows it.
    pub fn shown(&self) -> io::Result<App> {
        let mut app = App::default();
        let answer = self.host().call("GET", APP).try_send()?;
        if answer.status == 200 {
            let view = answer.json();
            app.live = view["live"].as_str().map(String::from);
            for release in view["releases"].as_array().unwrap() {
                let preview = release["preview"].as_str().map(String::from);
                let version = release["version"].as_str().unwrap().to_owned();
                let unknown = Release { text: String::new(), greeting: None, preview };
                assert!(app.releases.insert(version, unknown).is_none(), "a release twice: {view}");
            }
        }
        let env = self.host().call("GET", &format!("{APP}/env")).try_send()?;
        if env.status == 200 {
            let values = env.json();
            let values = values.as_array().unwrap();
            let set = |name: &str| {
                let value = values.iter().find(|value| value["name"] == name && value["live"] != "only")?;
                Some(value["value"].as_str()?.to_owned())
            };
            (app.greeting, app.unread) = (set("GREETING"), set("UNREAD"));
        }
        let tokens = self.host().call("GET", "/v1/tokens").try_send()?.json();
        let names = tokens.as_array().unwrap().iter().map(|token| token["name"].as_str().unwrap().to_owned());
        app.tokens = names.collect();
        Ok(app)
    }

    fn page(&self) -> io::Result<Answer> {
        self.host().get("shop", "/").try_send()
    }

    /// What is wrong with what users get.
    pub fn served(&self) -> Option<String> {
        let answer = match self.page() {
            Ok(answer) => answer,
            Err(error) => return Some(format!("no page: {error}")),
        };
        let Some(live) = &self.app.live else {
            let gone = matches!(answer.status, 404 | 503);
            return (!gone).then(|| format!("nothing is live, and the page is {answer:?}"));
        };
        let (expected, release) = (self.app.releases[live].says(), format!("shop@{live}"));
        let right = answer.status == 200
            && answer.text() == expected
            && answer.header("x-vitrine-release") == Some(release.as_str());
        (!right).then(|| format!("{live} is live and says `{expected}`; the page is {answer:?}"))
    }

    /// Waits until nothing lies about that no release has.
    pub fn strays(&self) -> Option<String> {
        let end = Instant::now() + PATIENCE;
        loop {
            let strays = self.strays_now();
            if strays.is_none() || Instant::now() > end {
                return strays;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn strays_now(&self) -> Option<String> {
        let answer = self.host().call("GET", "/v1/apps").send().json();
        let releases: Vec<_> =
            answer.as_array()?.iter().flat_map(|app| app["releases"].as_array().unwrap()).collect();
        let texts = |field: &str| -> BTreeSet<String> {
            releases.iter().filter_map(|release| release[field].as_str()).map(String::from).collect()
        };
        let (digests, instances) = (texts("digest"), texts("instance"));
        let data = self.host().data();
        let differs = |what: &str, found: &BTreeSet<String>, expected: &BTreeSet<String>| {
            (found != expected).then(|| format!("{what}: {found:?} instead of {expected:?}"))
        };
        let stray = |what: &str, found: &BTreeSet<String>| {
            let stray: Vec<_> = found.difference(&instances).collect();
            (!stray.is_empty()).then(|| format!("{what} of nobody: {stray:?}"))
        };
        differs("bundles", &names(&data.join("bundles")), &digests)
            .or_else(|| differs("archives", &names(&data.join("blobs")), &digests))
            .or_else(|| differs("files that are kept", &names(&data.join("kept")), &digests))
            .or_else(|| {
                shared_with_nobody(&data.join("files")).map(|path| format!("{path:?} is no bundle's"))
            })
            .or_else(|| differs("uploads", &names(&data.join("staging")), &BTreeSet::new()))
            .or_else(|| stray("folders of sockets", &names(&data.join("run"))))
            .or_else(|| {
                stray("workers", &self.host().workers().into_iter().map(|one| one.instance).collect())
            })
    }

    /// Running containers of this host by instance: id, and when it was started.
    fn running(&self) -> BTreeMap<String, String> {
        match &self.host {
            Some(host) if host.isolation == "container" => running(&host.data()),
            _ => BTreeMap::new(),
        }
    }

    /// The worker of each release, by version.
    pub fn instances(&self) -> BTreeMap<String, String> {
        let Ok(answer) = self.host().call("GET", APP).try_send() else { return BTreeMap::new() };
        let view = if answer.status == 200 { answer.json() } else { return BTreeMap::new() };
        let pair = |release: &serde_json::Value| {
            Some((release["version"].as_str()?.to_owned(), release["instance"].as_str()?.to_owned()))
        };
        view["releases"].as_array().unwrap().iter().filter_map(pair).collect()
    }

    /// Containers that ran when the host was killed, of releases that are still there, and do not run on as they did.
    pub fn not_adopted(&self, instances: &BTreeMap<String, String>) -> Vec<String> {
        let now = self.running();
        let retained = instances.iter().filter(|(version, _)| self.app.releases.contains_key(*version));
        let lost = retained.filter(|(_, instance)| {
            self.before.get(*instance).is_some_and(|before| now.get(*instance) != Some(before))
        });
        lost.map(|(version, instance)| format!("{version} ran in {instance}")).collect()
    }

    /// Waits for a host that is about to die; whether it did.
    pub fn died(&mut self) -> bool {
        self.dies_within(PATIENCE)
    }

    /// Whether it dies in this time.
    pub fn dies_within(&mut self, bound: Duration) -> bool {
        let end = Instant::now() + bound;
        while self.host.as_mut().unwrap().is_alive() {
            if Instant::now() > end {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        true
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.remove_containers();
    }
}

fn running(data: &Path) -> BTreeMap<String, String> {
    let containers = docker::containers_of(data);
    let running = containers.iter().filter(|one| one["State"]["Running"] == true);
    let line = |one: &serde_json::Value| {
        let instance = one["Name"].as_str()?.rsplit('-').next()?.to_owned();
        Some((instance, format!("{} {}", one["Id"], one["State"]["StartedAt"])))
    };
    running.filter_map(line).collect()
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap().map_while(Result::ok);
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// A content that no bundle has a link to.
fn shared_with_nobody(folder: &Path) -> Option<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map_while(Result::ok).map(|entry| entry.path());
    paths.into_iter().find(|path| fs::metadata(path).is_ok_and(|found| found.nlink() == 1))
}

/// A page of one line, and a script that all have. A snapshot takes longer than all the rest, so only some ask for one.
fn bundle(text: &str) -> Vec<u8> {
    let server = format!(
        "export default {{ fetch: (request, env) => new Response('{text} ' + (env.GREETING ?? '-')) }};\n"
    );
    let snapshot = text.ends_with(super::script::SNAPSHOT);
    let manifest = format!(r#"{{"env":["GREETING"],"snapshot":{snapshot}}}"#);
    Archive::empty()
        .file("server/index.js", server.as_bytes())
        .file("vitrine.json", manifest.as_bytes())
        .file("client/library.js", "export const nothing = 0;\n".repeat(300).as_bytes())
        .zst()
}
