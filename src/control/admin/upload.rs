//! A bundle on its way in: body to staging folder, unpacked and checked while it arrives.

use crate::admin::access::Caller;
use crate::admin::answer::Answer;
use crate::admin::execute::Change;
use crate::admin::extract::{Params, Segments, idempotency_key, request_line};
use crate::admin::idempotency::IdempotencyKey;
use crate::admin::notice::Notice;
use crate::admin::places::Place;
use crate::admin::problem::{Kind, Problem, ProblemBody};
use crate::admin::state::{AdminState, OnBehalf};
use crate::release::{UploadOptions, Uploaded};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use bytes::{Buf as _, Bytes};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use vitrine_bundle::{self as bundle, Bundle, BundleDir, BundleError};
use vitrine_core::audit::AuditAction;
use vitrine_core::id::{AppName, Digest, ReleaseId, Version};
use vitrine_core::limits::{
    ARCHIVE_BYTES_MAX, BODY_STALL_MS, BOOT_DEADLINE_MAX_MS, BOOT_DEADLINE_MS, PREVIEW_TTL_MAX_MS,
    SIGNATURE_BYTES_MAX, UPLOAD_BYTES_PER_S_MIN, UPLOAD_GRACE_MS, UPLOAD_MS, UPLOAD_PIECES_MAX,
    UPLOAD_PLACE_MS,
};
use vitrine_core::scope::{Actor, Verb};
use vitrine_core::telemetry::error_chain;
use vitrine_store::EnvScope;

/// What a caller that may also promote has on top: its release sees production's values. A token that may not promote must not
/// decide which code gets production's secrets.
pub(super) fn with_rights(options: UploadOptions, may_promote: bool) -> UploadOptions {
    let env_scope = match options.preview {
        None if may_promote => EnvScope::Production,
        _ => EnvScope::Preview,
    };
    UploadOptions { env_scope, may_promote, ..options }
}

/// How a bundle is to be taken in.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UploadQuery {
    /// Make it a preview of this name, reachable by its own host name only.
    pub(super) preview: Option<String>,
    /// How long the preview lives, such as `72h`.
    pub(super) ttl: Option<String>,
    /// Seconds that the release may take until it is ready; 60 if absent.
    pub(super) wait: Option<u64>,
}

impl UploadQuery {
    /// As the control plane takes it, for a caller that may do no more than upload.
    ///
    /// # Errors
    /// [`Kind::BadRequest`].
    pub(super) fn options(self, deploy: u64) -> Result<UploadOptions, Problem> {
        let bad = |text: String| Problem::new(Kind::BadRequest, text);
        let preview: Option<Version> = self
            .preview
            .map(|name| name.parse())
            .transpose()
            .map_err(|error| bad(format!("preview: {error}")))?;
        let ttl = self
            .ttl
            .map(|ttl| humantime::parse_duration(&ttl))
            .transpose()
            .map_err(|error| bad(format!("ttl: {error}; write 30s, 5m, 2h or 7d")))?;
        if ttl.is_some() && preview.is_none() {
            return Err(bad("ttl: only a preview has one; add `preview`".into()));
        }
        let longest = Duration::from_millis(PREVIEW_TTL_MAX_MS);
        if ttl.is_some_and(|ttl| ttl.is_zero() || ttl > longest) {
            return Err(bad(format!(
                "ttl: must be above 0 and at most {}",
                humantime::format_duration(longest)
            )));
        }
        let most_s = BOOT_DEADLINE_MAX_MS / 1000;
        if self.wait.is_some_and(|wait| wait == 0 || wait > most_s) {
            return Err(bad(format!("wait: must be from 1 to {most_s} seconds")));
        }
        let boot_deadline = self.wait.map_or(Duration::from_millis(BOOT_DEADLINE_MS), Duration::from_secs);
        Ok(UploadOptions {
            preview,
            ttl,
            boot_deadline,
            deploy,
            env_scope: EnvScope::Preview,
            may_promote: false,
            signature: None,
            goes_live: false,
            observer: None,
        })
    }
}

/// Header with the signature of a bundle: the bytes of the file that minisign wrote, as hexadecimal digits.
pub const SIGNATURE_HEADER: &str = "x-vitrine-signature";

/// That of a request, if it has one.
///
/// # Errors
/// [`Kind::BadRequest`].
pub(super) fn signature(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(SIGNATURE_HEADER) else { return Ok(None) };
    let text = value.to_str().ok().filter(|digits| digits.len() <= 2 * SIGNATURE_BYTES_MAX);
    let text = text.and_then(|digits| String::from_utf8(hex::decode(digits).ok()?).ok());
    text.map(Some).ok_or_else(|| {
        let text = format!("{SIGNATURE_HEADER}: has to be a minisign file of at most {SIGNATURE_BYTES_MAX} bytes in hexadecimal digits");
        Problem::new(Kind::BadRequest, text)
    })
}

/// Takes a bundle in: checks it, boots it, warms it. A preview sees the values that are set for previews; so does a release that
/// comes with a token which does not allow `promote`, until it is promoted.
#[utoipa::path(
    put,
    path = "/v1/apps/{app}/releases/{version}",
    params(
        ("app" = String, Path),
        ("version" = String, Path),
        ("x-vitrine-signature" = Option<String>, Header, description = "What `minisign -S` wrote over the bundle's digest, as hexadecimal digits"),
        UploadQuery,
    ),
    request_body(content = Vec<u8>, description = "The bundle: .tar.gz, .tar.zst or .tar", content_type = "application/octet-stream"),
    responses(
        (status = 201, description = "It is ready to be promoted", body = Uploaded),
        (status = 200, description = "It was there with the same content", body = Uploaded),
        (status = 409, description = "The version has other content, or users had other content under it and the token does not allow `promote`, or the host name is taken", body = ProblemBody),
        (status = 413, description = "The archive is too large", body = ProblemBody),
        (status = 422, description = "The bundle is refused or does not run; the log says why", body = ProblemBody),
    )
)]
pub(super) async fn upload(
    State(state): State<AdminState>,
    caller: Caller,
    Segments((app, version)): Segments<(AppName, Version)>,
    Params(query): Params<UploadQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let options = query.options(state.releases.begin_deploy())?;
    let may_promote = caller.may(Verb::Promote, Some(&app));
    let signature = signature(request.headers())?;
    let options = UploadOptions { signature, ..with_rights(options, may_promote) };
    let deploy = options.deploy;
    let key = idempotency_key(request.headers())?;
    let head = request_line(&request);
    let (staged, bundle) = receive(&state, &caller.actor, request).await?.end().await?;
    let once = key.map(|key| IdempotencyKey {
        key,
        request: Digest::of(format!("{head}{}", bundle.digest).as_bytes()),
    });
    let (releases, may_see) = (state.releases.clone(), caller.clone());
    let (release, seen) = (ReleaseId::new(app.clone(), version.clone()), app.clone());
    let change = Change::new(caller, AuditAction::Deploy).app(&app).version(Some(&version)).once(once);
    let store = async move |behalf: OnBehalf| {
        let uploaded = behalf.releases.upload(app, Some(version), (staged.dir(), bundle), options).await;
        staged.remove().await;
        let uploaded = uploaded.map_err(behalf.problem())?;
        Ok(Answer::made(uploaded.created, &uploaded))
    };
    let uploaded = change.execute_or(state, store, move |behalf| undo(behalf, release, deploy)).await?;
    let lost = uploaded.is_created().then(|| releases.names_lost_to(&seen, may_see.may_see()));
    let notices = lost.into_iter().flatten().filter_map(|text| Notice::of(&text));
    Ok(Notice::beside(notices.collect(), uploaded))
}

async fn undo(behalf: OnBehalf, release: ReleaseId, deploy: u64) {
    match behalf.releases.undo_upload(&release, deploy).await {
        Ok(true) => {
            tracing::info!(%release, "removed a release whose uploader disconnected before it was ready")
        }
        Ok(false) => {}
        Err(error) => {
            let error = error_chain(&error);
            tracing::warn!(%release, error, "failed to remove a release whose uploader disconnected");
        }
    }
}

/// An upload's place among those at once: free when nothing of it is under way.
type Slot = Arc<Place>;

/// An upload's staging folder, removed with this unless the bundle was moved out of it before.
#[derive(Debug)]
pub(super) struct Staged {
    dir: BundleDir,
    folder: Option<Folder>,
}

impl Staged {
    fn new(dir: BundleDir, slot: Slot) -> Self {
        Self { folder: Some(Folder { dir: dir.clone(), _slot: slot }), dir }
    }

    /// Where it is.
    pub(super) fn dir(&self) -> BundleDir {
        self.dir.clone()
    }

    /// Removes it, and waits until it is gone.
    pub(super) async fn remove(mut self) {
        let folder = self.folder.take();
        // Dropped without being run, it is removed all the same.
        let _ = tokio::task::spawn_blocking(move || drop(folder)).await;
    }
}

impl Drop for Staged {
    /// Removes it where that may take its time: it can hold thousands of files.
    fn drop(&mut self) {
        let folder = self.folder.take();
        if let Ok(runtime) = Handle::try_current() {
            drop(runtime.spawn_blocking(move || drop(folder)));
        }
    }
}

#[derive(Debug)]
struct Folder {
    dir: BundleDir,
    /// Taken until what was uploaded has been booted, also when its sender leaves.
    _slot: Slot,
}

impl Drop for Folder {
    fn drop(&mut self) {
        match std::fs::remove_dir_all(&self.dir.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(path = %self.dir.0.display(), %error, "failed to remove a staging folder");
            }
            _ => {}
        }
    }
}

/// An archive that is whole, and is being unpacked and checked.
pub(super) struct Unpacking(JoinHandle<Result<(Staged, Bundle), BundleError>>);

impl Unpacking {
    /// Waits for the bundle.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) async fn end(self) -> Result<(Staged, Bundle), Problem> {
        let stopped = |_| Problem::new(Kind::Internal, "unpacking stopped; the host's log says why");
        Ok(self.0.await.map_err(stopped)??)
    }
}

/// Waits for a place, and unpacks the body while it arrives; gives the rest of that once the body is whole. A bundle that is refused
/// early is still read to its end, so that the sender is there to hear why.
///
/// # Errors
/// See [`Problem`]; nothing of the body remains then.
pub(super) async fn receive(state: &AdminState, who: &Actor, request: Request) -> Result<Unpacking, Problem> {
    let Some(waiting) = state.waiting_uploads.try_take(who) else {
        return Err(Problem::new(Kind::Busy, state.waiting_uploads.why(who)));
    };
    let place = state.uploads.take(who);
    let Ok(slot) = tokio::time::timeout(Duration::from_millis(UPLOAD_PLACE_MS), place).await else {
        return Err(Problem::new(Kind::Busy, state.uploads.why(who)));
    };
    drop(waiting);
    let slot: Slot = Arc::new(slot);
    let declared =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if declared.is_some_and(|bytes: u64| bytes > ARCHIVE_BYTES_MAX) {
        return Err(BundleError::ArchiveTooLarge { max_bytes: ARCHIVE_BYTES_MAX }.into());
    }
    let (pieces, reader) = mpsc::channel(UPLOAD_PIECES_MAX);
    let (into, kept) = (state.store.layout().stage(), state.store.bundles().kept());
    let staged_in = Arc::clone(&slot);
    let unpacking = spawn_in(slot, move || {
        let (dir, bundle) =
            bundle::receive_upload(PieceReader { pieces: reader, piece: Bytes::new() }, &into, &kept)?;
        Ok::<_, BundleError>((Staged::new(dir, staged_in), bundle))
    });
    let arrived = forward(request.into_body(), pieces).await;
    let unpacking = Unpacking(unpacking);
    match arrived {
        Ok(()) => Ok(unpacking),
        // What cut the body off is the cause; a broken archive is only what follows from it.
        Err(problem) => {
            if let Ok((staged, _)) = unpacking.end().await {
                staged.remove().await;
            }
            Err(problem)
        }
    }
}

/// Blocking work does not end with the task that awaits it, so it holds the upload's place until it ends.
fn spawn_in<T: Send + 'static>(slot: Slot, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    tokio::task::spawn_blocking(move || {
        let done = work();
        drop(slot);
        done
    })
}

fn is_too_slow(bytes: u64, waited: Duration) -> bool {
    let over = waited.saturating_sub(Duration::from_millis(UPLOAD_GRACE_MS));
    bytes < over.as_secs() * UPLOAD_BYTES_PER_S_MIN
}

async fn forward(mut body: Body, pieces: mpsc::Sender<Bytes>) -> Result<(), Problem> {
    let end = Instant::now() + Duration::from_millis(UPLOAD_MS);
    let mut bytes = 0;
    let mut waited = Duration::ZERO;
    loop {
        let asked = Instant::now();
        let stall = asked + Duration::from_millis(BODY_STALL_MS);
        let frame = tokio::time::timeout_at(end.min(stall), body.frame()).await.map_err(|_| {
            Problem::new(
                Kind::Timeout,
                format!("the body stood still for {BODY_STALL_MS} ms, or took {UPLOAD_MS} ms"),
            )
        })?;
        let Some(frame) = frame else { return Ok(()) };
        // Not what unpacking takes: that is the host's time.
        waited += asked.elapsed();
        if is_too_slow(bytes, waited) {
            let text = format!("the body came at less than {UPLOAD_BYTES_PER_S_MIN} bytes a second");
            return Err(Problem::new(Kind::Timeout, text));
        }
        let frame = frame
            .map_err(|error| Problem::new(Kind::BadRequest, format!("the body was cut off: {error}")))?;
        let Ok(piece) = frame.into_data() else { continue };
        bytes += piece.len() as u64;
        if bytes > ARCHIVE_BYTES_MAX {
            return Err(BundleError::ArchiveTooLarge { max_bytes: ARCHIVE_BYTES_MAX }.into());
        }
        // The other side is gone when it has refused the bundle: what still comes is read and dropped.
        let _ = pieces.send(piece).await;
    }
}

/// Pieces of a body as a blocking reader.
struct PieceReader {
    pieces: mpsc::Receiver<Bytes>,
    piece: Bytes,
}

impl Read for PieceReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            let Some(piece) = self.pieces.blocking_recv() else { return Ok(0) };
            self.piece = piece;
        }
        let bytes = into.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut into[..bytes]);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::places::Places;

    fn refused(query: UploadQuery, word: &str) {
        let problem = query.options(1).unwrap_err();
        assert_eq!(problem.kind, Kind::BadRequest);
        assert!(problem.detail.contains(word), "{}", problem.detail);
    }

    #[test]
    fn options_are_checked_one_by_one() {
        let options = UploadQuery::default().options(1).unwrap();
        assert_eq!(options.boot_deadline, Duration::from_secs(60));
        refused(UploadQuery { wait: Some(0), ..UploadQuery::default() }, "wait");
        refused(UploadQuery { wait: Some(u64::MAX), ..UploadQuery::default() }, "wait");
        refused(UploadQuery { ttl: Some("1h".into()), ..UploadQuery::default() }, "preview");
        let preview = || Some("pr-1".to_owned());
        refused(UploadQuery { preview: preview(), ttl: Some("soon".into()), wait: None }, "ttl");
        refused(UploadQuery { preview: preview(), ttl: Some("0s".into()), wait: None }, "ttl");
        refused(UploadQuery { preview: Some("a/b".into()), ..UploadQuery::default() }, "preview");
        let options =
            UploadQuery { preview: preview(), ttl: Some("72h".into()), wait: Some(5) }.options(1).unwrap();
        assert_eq!(options.ttl, Some(Duration::from_secs(72 * 3600)));
        assert_eq!(options.boot_deadline, Duration::from_secs(5));
    }

    #[tokio::test]
    async fn an_upload_whose_sender_left_has_its_place_until_its_work_ends() {
        let (uploads, ci) = (Places::of_uploads(), Actor::Token("ci".parse().unwrap()));
        let mut held: Vec<_> = std::iter::from_fn(|| uploads.try_take(&ci)).collect();
        let slot = Arc::new(held.pop().unwrap());
        let (end, over) = std::sync::mpsc::sync_channel::<()>(1);
        drop(spawn_in(Arc::clone(&slot), move || over.recv()));
        drop(slot);
        assert!(uploads.try_take(&ci).is_none(), "its work goes on");
        end.send(()).unwrap();
        let place = tokio::time::timeout(Duration::from_secs(30), uploads.take(&ci)).await;
        assert!(place.is_ok());
    }

    #[tokio::test]
    async fn what_is_uploaded_has_its_place_until_it_is_taken_in() {
        let (uploads, ci) = (Places::of_uploads(), Actor::Token("ci".parse().unwrap()));
        let mut held: Vec<_> = std::iter::from_fn(|| uploads.try_take(&ci)).collect();
        let slot = Arc::new(held.pop().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let dir = BundleDir(folder.path().join("staged"));
        std::fs::create_dir(&dir.0).unwrap();
        let staged = Staged::new(dir.clone(), Arc::clone(&slot));
        // Its sender left: the request's own part is gone.
        drop(slot);
        assert!(uploads.try_take(&ci).is_none());
        staged.remove().await;
        assert!(uploads.try_take(&ci).is_some() && !dir.0.exists());
    }

    /// A stream of pieces so far apart.
    fn dripping(piece: &'static [u8], pause: Duration) -> Body {
        Body::from_stream(futures_util::stream::unfold((), move |()| async move {
            // The clock is paused: this is the pace of the client.
            tokio::time::sleep(pause).await;
            Some((Ok::<_, io::Error>(Bytes::from_static(piece)), ()))
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_is_given_up_and_a_slow_one_is_not() {
        let (send, mut pieces) = mpsc::channel(4);
        tokio::spawn(async move { while pieces.recv().await.is_some() {} });
        let begun = Instant::now();
        let drip = forward(dripping(b"x", Duration::from_secs(1)), send.clone()).await.unwrap_err();
        assert_eq!(drip.kind, Kind::Timeout);
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
        let slow: &'static [u8] = &[7; 32 << 10];
        let begun = Instant::now();
        let ended = forward(dripping(slow, Duration::from_secs(1)), send).await.unwrap_err();
        assert!(ended.detail.contains("took"), "{}", ended.detail);
        assert!(begun.elapsed() >= Duration::from_millis(UPLOAD_MS));
    }

    #[tokio::test]
    async fn pieces_are_read_in_order_to_the_end() {
        let (send, pieces) = mpsc::channel(4);
        let reading = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            PieceReader { pieces, piece: Bytes::new() }.read_to_string(&mut text).map(|_| text)
        });
        for piece in ["ab", "", "cde"] {
            send.send(Bytes::from(piece)).await.unwrap();
        }
        drop(send);
        assert_eq!(reading.await.unwrap().unwrap(), "abcde");
    }
}
