//! A pool with both of its ends in the test's hands.

use bytes::Bytes;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, LazyLock};
use tokio::sync::oneshot;
use vitrine_wire::{
    BootFailure, Contract, Done, IsolateStatus, Outcome, RequestHead, ResponseHead, RestartReason, Start,
    WorkerLimits, WorkerSettings,
};
use vitrine_worker::bundle::Bundle;
use vitrine_worker::isolate::platform;
use vitrine_worker::pool::Pool;
use vitrine_worker::request::{HostClient, LocalAnswer, LogReader, PoolRequest, Request};

/// One runtime for all tests: V8's threads must descend from the one that prepared it.
static RUNTIME: LazyLock<tokio::runtime::Handle> = LazyLock::new(|| {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        platform::init();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        sender.send(runtime.handle().clone()).expect("the test waits");
        runtime.block_on(std::future::pending::<()>());
    });
    receiver.recv().expect("the runtime starts")
});

/// Runs a test's future on the common runtime.
pub fn run<T: Send + 'static>(test: impl Future<Output = T> + Send + 'static) -> T {
    let (sender, receiver) = std::sync::mpsc::channel();
    RUNTIME.spawn(async move {
        let _ = sender.send(tokio::spawn(test).await);
    });
    match receiver.recv().expect("the test ends") {
        Ok(value) => value,
        Err(error) => {
            let panic = error.into_panic();
            // The runtime's threads write to the output of the test that they were started in.
            let text = panic.downcast_ref::<String>().map(String::as_str);
            println!("{}", text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked"));
            std::panic::resume_unwind(panic)
        }
    }
}

/// Asks for `path` until the answer is `text`. The request itself is what moves a single isolate on.
pub async fn until(worker: &Worker, path: &str, text: &str) {
    for _ in 0..1_000 {
        if worker.get(path).await.text() == text {
            return;
        }
        // What is waited for is on the isolate's clock, not on the test's.
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{path} never answers {text}");
}

/// Runs the body of an async function in an app and returns what it returns, as JSON.
pub async fn evaluate(imports: &str, body: &str) -> String {
    let source = format!(
        "{imports}\nexport default async () => new Response(JSON.stringify(await (async () => {{ {body} }})()));"
    );
    // Code of dependencies is not optimized here.
    let setup = Setup::fetch(&source).limits(|limits| limits.cpu_ms = 5_000);
    setup.boot().await.ask(Ask::get("/")).await.text()
}

/// What a pool is booted with.
pub struct Setup {
    pub files: HashMap<String, Arc<[u8]>>,
    pub start: Start,
}

impl Setup {
    /// One isolate, the contract `fetch`, `source` as `server/index.js`.
    pub fn fetch(source: &str) -> Self {
        let limits = WorkerLimits {
            cpu_ms: 500,
            wall_ms: 5_000,
            heap_mb: 128,
            concurrency: 32,
            queue: 256,
            // A test of waiting sets its own: unoptimized code on a busy machine keeps an isolate for seconds.
            queue_ms: 10_000,
            request_mb: 10,
            response_mb: 50,
            client_stall_ms: 30_000,
            stream_idle_ms: 60_000,
            subrequests: 50,
            log_lines_per_s: 100,
            isolates: 1,
            isolate_per_request: false,
        };
        let settings = WorkerSettings {
            entry: "server/index.js".to_owned(),
            contract: Contract::Fetch,
            warm: Vec::new(),
            host: "app.localhost".to_owned(),
            limits,
        };
        let start = Start { settings, env: Vec::new(), is_accepted: false };
        let setup = Self { files: HashMap::new(), start };
        setup.file("server/index.js", source)
    }

    pub fn render(source: &str) -> Self {
        let mut setup = Self::fetch(source);
        setup.start.settings.contract = Contract::Render;
        setup
    }

    pub fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.to_owned(), Arc::from(content.as_ref()));
        self
    }

    pub fn limits(mut self, change: impl FnOnce(&mut WorkerLimits)) -> Self {
        change(&mut self.start.settings.limits);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.start.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub async fn try_boot(self) -> Result<Worker, BootFailure> {
        let (link, logs) = HostClient::new(tokio::runtime::Handle::current());
        let bundle = Bundle { files: Arc::new(self.files), ..Bundle::default() };
        let pool = Pool::boot(self.start, bundle, None, link.clone()).await?;
        Ok(Worker { pool, logs, link })
    }

    pub async fn boot(self) -> Worker {
        match self.try_boot().await {
            Ok(worker) => worker,
            Err(failure) => panic!("the bundle does not boot: {failure:#?}"),
        }
    }
}

/// A booted pool.
pub struct Worker {
    pub pool: Pool,
    pub logs: LogReader,
    pub link: HostClient,
}

/// A request to send.
pub struct Ask {
    pub head: RequestHead,
    pub body: Option<Bytes>,
}

impl Ask {
    pub fn get(path: &str) -> Self {
        let head = RequestHead {
            method: "GET".to_owned(),
            url: format!("https://app.localhost{path}"),
            headers: Vec::new(),
            has_body: false,
            upgrade: false,
            request_id: format!("id{path}"),
            ledger: false,
        };
        Self { head, body: None }
    }

    pub fn post(path: &str, body: &'static [u8]) -> Self {
        let mut ask = Self::get(path);
        "POST".clone_into(&mut ask.head.method);
        ask.body = Some(Bytes::from_static(body));
        ask
    }

    /// One that asks for a WebSocket, and says nothing on it.
    pub fn socket(path: &str) -> Self {
        let mut ask = Self::get(path);
        ask.head.upgrade = true;
        ask.body = Some(Bytes::new());
        ask
    }

    pub fn header(mut self, name: &str, value: &'static str) -> Self {
        self.head.headers.push((name.to_owned(), Bytes::from_static(value.as_bytes())));
        self
    }
}

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    pub head: Option<ResponseHead>,
    pub body: Bytes,
    pub done: Done,
}

impl Answer {
    pub fn status(&self) -> u16 {
        self.head.as_ref().unwrap_or_else(|| panic!("no head: {:#?}", self.done)).status
    }

    pub fn header(&self, name: &str) -> Vec<String> {
        let headers = self.head.iter().flat_map(|head| &head.headers);
        let named = headers.filter(|(known, _)| known == name);
        named.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    }

    pub fn text(&self) -> String {
        assert_eq!(self.done.outcome, Outcome::Ok, "{:#?}", self.done);
        String::from_utf8(self.body.to_vec()).expect("UTF-8")
    }
}

impl Worker {
    /// Sends a request; its answer comes frame by frame. Dropping the answer is a client that went away.
    pub async fn start(&self, ask: Ask) -> LocalAnswer {
        let (request, answer) = Request::local(ask.head, ask.body).await;
        self.pool.submit(request);
        answer
    }

    pub async fn ask(&self, ask: Ask) -> Answer {
        let (head, body, done) = self.start(ask).await.collect().await;
        Answer { head, body, done }
    }

    /// Every isolate's figures.
    pub async fn isolates(&self) -> Vec<IsolateStatus> {
        let (sender, receiver) = oneshot::channel();
        self.pool.request(PoolRequest::Status(sender));
        receiver.await.expect("a status").1
    }

    /// Why isolates were condemned so far, once for each.
    pub async fn reasons(&self) -> Vec<RestartReason> {
        let isolates = self.isolates().await;
        let counts = isolates.iter().flat_map(|isolate| &isolate.restarts);
        counts.flat_map(|(reason, count)| std::iter::repeat_n(*reason, *count as usize)).collect()
    }

    /// How many isolates were condemned so far.
    pub async fn restarts(&self) -> usize {
        self.reasons().await.len()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Ask::get(path)).await
    }
}
