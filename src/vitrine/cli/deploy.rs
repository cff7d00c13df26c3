//! `vitrine deploy`.

mod bundler;
mod detect;
mod imports;
mod lay_out;
mod operation;
mod prepare;
mod progress;
mod source_file;
mod trial;

use crate::cli::client::Client;
use crate::cli::stop::Stop;
use crate::cli::{Failure, age, print, project, promote, verdict};
use operation::Operation;
use prepare::Prepared;
pub(super) use prepare::bundle_of;
use reqwest::Method;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use vitrine_control::admin::deployments::DeployEnd;
use vitrine_control::admin::env::check_name;
use vitrine_control::release::{DeploymentView, HealthAnswer, Switched, Uploaded, env_line, limits_line};
use vitrine_core::id::{AppName, Version};
use vitrine_core::limits::{BOOT_DEADLINE_MAX_MS, SIGNATURE_BYTES_MAX};

/// Upload a bundle, boot it beside the live release, and make it live once it is healthy
///
/// Prints the release's own URL. A deploy that fails changes nothing that is live, prints the worker's last log lines,
/// and leaves the version name free. Once the upload is whole the host goes on by itself: Ctrl-C ends only this command, and
/// `vitrine deployments` shows how it goes. Of two concurrent deploys of one app the one that began last wins. The new release is watched
/// for a while (`bake_time_ms` in vitrine.toml): if it is worse than the previous one, it is rolled back automatically.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of the app; its first deploy makes it
    app: AppName,
    /// Folder of a bundle, of a framework's build, or of the project that was built; or a bundle as .tar.gz, .tar.zst or .tar
    #[arg(value_name = "DIR|ARCHIVE", default_value = ".")]
    bundle: PathBuf,
    /// Version of the release [default: the first 12 digits of the bundle's digest]
    #[arg(long, value_name = "V")]
    version: Option<Version>,
    /// Make it a preview with this name, reachable only at its own host name
    #[arg(long, value_name = "NAME")]
    preview: Option<Version>,
    /// How long the preview lives, such as 72h
    #[arg(long, value_name = "AGE", requires = "preview", value_parser = age::parse)]
    ttl: Option<Duration>,
    /// Upload and boot it, but do not make it live
    #[arg(long)]
    no_promote: bool,
    /// Seconds until the release must be ready; then the deploy is undone
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(1..=BOOT_DEADLINE_MAX_MS / 1000))]
    wait: u64,
    /// Wait until its bake ends: exit 0 if it passes or there is none, 1 if the release is rolled back or has no verdict
    #[arg(long, conflicts_with_all = ["preview", "no_promote", "dry_run"])]
    wait_bake: bool,
    /// Signature that minisign made of the digest that --dry-run shows, with the trusted comment `app=APP version=V sequence=NUMBER`
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    signature: Option<PathBuf>,
    /// Check the bundle, evaluate it in a throw-away worker on this machine, and say what was found, what would be sent and what is
    /// not checked; no host is asked, and the bundle can call nothing. A server that has to be bundled is bundled, which runs the
    /// project's bundler
    #[arg(long)]
    dry_run: bool,
    /// Variable of the bundle's `env` that --dry-run takes from this command's environment; can be repeated
    #[arg(long, value_name = "NAME", requires = "dry_run", value_parser = variable)]
    env: Vec<String>,
}

impl Args {
    const fn goes_live(&self) -> bool {
        !self.no_promote && self.preview.is_none()
    }
}

fn variable(text: &str) -> Result<String, String> {
    if let Some((name, _)) = text.split_once('=') {
        return Err(format!("a value is never an argument; write `{name}=… vitrine deploy … --env {name}`"));
    }
    let name = check_name(text)?;
    if name.starts_with("VITRINE_") {
        return Err("variables of the command line itself are not given to bundles".into());
    }
    Ok(name)
}

/// What a deploy did, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Deployed {
    #[serde(flatten)]
    uploaded: Uploaded,
    switched: Option<Switched>,
    /// With its verdict, if that was waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment: Option<DeploymentView>,
}

/// Runs the verb.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    // From here on a signal no longer ends the process as it is, with its scratch folder left behind.
    let mut stop = Stop::listen().map_err(Failure::local("listening for Ctrl-C"))?;
    let signature = args.signature.as_deref().map(read_signature).transpose()?;
    if args.dry_run {
        let prepared = prepare(&args, &mut stop).await?;
        let trial = tokio::select! {
            trial = prepared.evaluate(&args.app, &args.env) => trial?,
            () = stop.asked() => return Err(nothing_sent()),
        };
        return prepared.show(&args.app, &trial);
    }
    // Packing takes its time: that the host is not there, or the token is wrong, is said before.
    let client = Client::changing()?;
    client.greet(&args.app).await?;
    let mut prepared = prepare(&args, &mut stop).await?;
    prepared.version = version_of(&args, prepared.version)?;
    tokio::select! {
        checked = check(&client, &args, &prepared) => checked?,
        () = stop.asked() => return Err(nothing_sent()),
    }
    let operation = Operation::begin(&client, &args, &prepared, signature, &mut stop).await?;
    let end = operation.end(&client, &mut stop).await?;
    let deployed = deployed(&client, &args, end)?;
    note_host(&args.bundle, &client);
    if !args.wait_bake {
        return report(&client, &deployed);
    }
    tokio::select! {
        judged = judged(&client, &args.app, deployed) => judged,
        () = stop.asked() => {
            let Args { app, .. } = &args;
            let state = format!("{app}@{} is live, and its bake goes on", prepared.version);
            Err(Failure::Interrupted(format!("interrupted: {state}\n`vitrine status {app}` shows what is live")))
        }
    }
}

fn nothing_sent() -> Failure {
    Failure::Interrupted("interrupted: nothing was sent".to_owned())
}

/// The version of a preview that is given none is named after its content and the preview: a later deploy of the same content is a
/// release of its own, and leaves the preview alone.
fn version_of(args: &Args, content: Version) -> Result<Version, Failure> {
    let (Some(name), None) = (&args.preview, &args.version) else { return Ok(content) };
    let mut own = format!("{content}-{name}");
    // Names are ASCII. Of two that begin with the same fifty characters the second needs a --version.
    own.truncate(Version::LENGTH_MAX);
    own.parse().map_err(Failure::local("naming the preview's version"))
}

/// Packs and checks the bundle. Its scratch folder goes when what fills it is done, so an interrupt waits for that.
async fn prepare(args: &Args, stop: &mut Stop) -> Result<Prepared, Failure> {
    let (bundle, version) = (args.bundle.clone(), args.version.clone());
    let mut preparing = tokio::task::spawn_blocking(move || Prepared::new(&bundle, version));
    let ended = |ended: Result<_, tokio::task::JoinError>| match ended {
        Ok(prepared) => prepared,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    };
    tokio::select! {
        prepared = &mut preparing => ended(prepared),
        () = stop.asked() => {
            drop(ended(preparing.await));
            Err(nothing_sent())
        }
    }
}

/// A wrong token, a name that can't be used or a host that is not there is found out before megabytes are sent.
async fn check(client: &Client, args: &Args, prepared: &Prepared) -> Result<(), Failure> {
    let path = ["apps", args.app.as_str(), "releases", prepared.version.as_str(), "check"];
    let check = client.request(Method::POST, &path).query(&[("promote", args.goes_live())]);
    client.send(check.json(&prepared.check(args.preview.as_ref()))).await.map(drop)
}

/// Says what the host told of the release, and fails as it did.
fn deployed(client: &Client, args: &Args, (end, took): (DeployEnd, Duration)) -> Result<Deployed, Failure> {
    let DeployEnd { uploaded, switched, error, notices, .. } = end;
    if let Some(uploaded) = &uploaded {
        if error.is_none() {
            tell(args, uploaded, took);
        }
        warn(uploaded);
    }
    notices.iter().for_each(|notice| print::talk(&format!("warning: {notice}")));
    match (error, uploaded) {
        (Some(problem), _) => Err(client.failure(problem)),
        (None, Some(uploaded)) => Ok(Deployed { uploaded, switched, deployment: None }),
        (None, None) => Err(Failure::refused("the host does not say what was deployed")),
    }
}

fn tell(args: &Args, uploaded: &Uploaded, took: Duration) {
    let release = format!("{}@{}", args.app, uploaded.release.version);
    if uploaded.created {
        print::talk(&format!("{release} is uploaded, booted and warm ({:.1} s)", took.as_secs_f64()));
    } else if uploaded.values_renewed {
        print::talk(&format!(
            "{release} was there already, with the same content; it was restarted with the changed values"
        ));
    } else {
        print::talk(&format!("{release} was there already, with the same content"));
    }
}

fn warn(uploaded: &Uploaded) {
    let Uploaded { release: view, env_unset, limits_lowered, health_missing, .. } = uploaded;
    let health = health_missing.as_ref().map(|HealthAnswer { path, status }| {
        format!(
            "the health path {path} answers {status}, which counts as healthy, as any status below 500 does; check its spelling in \
             vitrine.json"
        )
    });
    let warnings = [env_line(env_unset, view.env_scope, &view.app), limits_line(limits_lowered), health];
    warnings.iter().flatten().for_each(|warning| print::talk(&format!("warning: {warning}")));
}

/// The file as digits: its lines would not fit into a header.
fn read_signature(file: &Path) -> Result<String, Failure> {
    let refused = |why: String| Failure::refused(format!("the signature {}: {why}", file.display()));
    let bytes = std::fs::read(file).map_err(|error| refused(error.to_string()))?;
    if bytes.len() > SIGNATURE_BYTES_MAX {
        return Err(refused(format!("it has more than {SIGNATURE_BYTES_MAX} bytes")));
    }
    Ok(hex::encode(bytes))
}

/// The project's next commands go to this host, too. That it can't be noted is no reason for the deploy to fail.
fn note_host(bundle: &Path, client: &Client) {
    match project::note_host(bundle, client.target()) {
        Ok(None) => {}
        Ok(Some(file)) => print::talk(&format!(
            "wrote {}: commands of this project go to this host from now on (--host names another)",
            file.display()
        )),
        Err(error) => print::talk(&format!("the host is not noted in a `.vitrine` file: {error}")),
    }
}

/// Waits for the verdict. What is known before is told before.
async fn judged(client: &Client, app: &AppName, mut deployed: Deployed) -> Result<(), Failure> {
    if !print::is_json() {
        report(client, &deployed)?;
    }
    let Some(switched) = &deployed.switched else { return Ok(()) };
    let verdict = verdict::wait(client, app, switched).await?;
    let told = verdict::tell(app, verdict.as_ref());
    if print::is_json() {
        deployed.deployment = verdict;
        client.print_json(&deployed)?;
    }
    told
}

fn report(client: &Client, deployed: &Deployed) -> Result<(), Failure> {
    if print::is_json() {
        return client.print_json(deployed);
    }
    print::data(deployed.uploaded.release.url.as_deref().unwrap_or("-"))?;
    if let (Some(link), None) = (&deployed.uploaded.release.link, &deployed.switched) {
        print::talk(&format!("it asks for a password; this link opens it without: {link}"));
    }
    if let Some(switched) = &deployed.switched {
        promote::talk(switched);
    }
    Ok(())
}
