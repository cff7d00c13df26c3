//! The engine process against whoever took over the host's end of its pipe: what is no action ends it, and what is one
//! reaches Docker with this host's label and nothing of the sender's.

use crate::rig::{Kind, Rig};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What Docker was asked: method and target, and a body.
type Asked = Arc<Mutex<Vec<(String, String)>>>;

/// Answers as a Docker that has the worker image and no container, and remembers what it was asked.
fn fake_docker(socket: &Path) -> Asked {
    let listener = UnixListener::bind(socket).unwrap();
    let asked = Asked::default();
    let told = Arc::clone(&asked);
    // Ends with the test's process; it holds nothing but a socket in the rig's folder.
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let told = Arc::clone(&told);
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                while answer(&mut reader, &told).is_some() {}
            });
        }
    });
    asked
}

fn answer(reader: &mut BufReader<std::os::unix::net::UnixStream>, told: &Asked) -> Option<()> {
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok().filter(|read| *read > 0)?;
        if header == "\r\n" {
            break;
        }
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let request: String = line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let (status, reply) = match () {
        () if request.contains("/version") => ("200 OK", json!({"ApiVersion": "1.41", "Version": "20"})),
        () if request.contains("/images/") => ("200 OK", json!({"Id": format!("sha256:{}", "1".repeat(64))})),
        () if request.contains("/containers/json") => ("200 OK", json!([])),
        () => ("404 Not Found", json!({"message": "no"})),
    };
    told.lock().unwrap().push((request, String::from_utf8_lossy(&body).into_owned()));
    let reply = reply.to_string();
    write!(
        reader.get_mut(),
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{reply}",
        reply.len()
    )
    .ok()
}

/// An engine process of this rig, talked to by hand.
fn engine(rig: &Rig, socket: &Path) -> Child {
    let options = rig.options(Kind::Container);
    Command::new(&options.program)
        .args(["engine", "--isolation", "container", "--data"])
        .arg(&options.data)
        .arg("--docker")
        .arg(socket)
        // The image that it makes of it is never started.
        .args(["--worker", "/bin/true", "--host-id", &options.host_id])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Its exit code, once it has ended by itself.
fn ended(mut child: Child, line: &str) -> i32 {
    let until = Instant::now() + Duration::from_secs(60);
    while Instant::now() < until {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().unwrap_or(-1);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let _ = child.wait();
    panic!("the engine goes on after `{}`", &line[..line.len().min(200)]);
}

/// Lines that are no action, and what somebody might hope that they do.
fn lines(rig: &Rig) -> Vec<String> {
    let start = json!({"action": "start", "instance": rig.spec().instance, "release": "shop@v1", "bundle": rig.bundle,
        "spec_hash": rig.bundle, "memory_mb": 256, "cpus": 1.0, "pids": 64});
    let with = |name: &str, value: Value| {
        let mut start = start.clone();
        start[name] = value;
        json!({"id": 1, "action": start}).to_string()
    };
    let mut lines: Vec<String> =
        ["exec", "run", "pull", "build", "create", "commit", "remove_image", "LIST", ""]
            .map(|action| json!({"id": 1, "action": {"action": action}}).to_string())
            .to_vec();
    lines.extend([
        with("image", json!("evil")),
        with("privileged", json!(true)),
        with("mounts", json!([{"source": "/", "target": "/host"}])),
        with("binds", json!(["/:/host"])),
        with("network_mode", json!("host")),
        with("cap_add", json!(["ALL"])),
        with("user", json!("0:0")),
        with("env", json!(["A=b"])),
        with("runtime", json!("other")),
        with("release", json!("../x@v1")),
        with("release", json!("shop@v1/../../x")),
        with("bundle", json!("../../../etc")),
        with("snapshot", json!("/etc/passwd")),
        with("instance", json!("../../run")),
        with("instance", json!("0123456789ABCDEF/")),
        with("memory_mb", json!(-1)),
        with("cpus", json!("all")),
        json!({"id": 1}).to_string(),
        json!({"action": {"action": "list"}}).to_string(),
        json!({"id": 1, "action": {"action": "list"}, "socket": "/other.sock"}).to_string(),
        json!({"id": 1, "action": {"action": "stop", "instance": "all", "grace_ms": 0}}).to_string(),
        json!({"id": 1, "action": {"action": "logs", "instance": "0123456789abcdef", "lines": -1}})
            .to_string(),
        "null".into(),
        "{".into(),
        String::new(),
        "GET /containers/json HTTP/1.1\r".into(),
        "x".repeat(3 << 20),
        "[".repeat(100_000),
    ]);
    // One changed byte in the word of each action: a property over what is near to an action.
    for action in ["probe", "list", "prune", "stop", "stats", "logs"] {
        for at in 0..action.len() {
            let mut word = action.as_bytes().to_vec();
            word[at] ^= 1;
            let word = String::from_utf8(word).unwrap();
            lines.push(json!({"id": 1, "action": {"action": word, "instance": rig.spec().instance, "grace_ms": 0, "lines": 1}}).to_string());
        }
    }
    lines
}

pub fn refuses() {
    let rig = Rig::new();
    let socket = rig.data.path().join("docker.sock");
    let asked = fake_docker(&socket);
    let lines = lines(&rig);
    for line in &lines {
        let mut child = engine(&rig, &socket);
        // It may have ended before all of a long line is written.
        let _ = writeln!(child.stdin.take().unwrap(), "{line}");
        let code = ended(child, line);
        assert_eq!(code, 1, "`{}` is no action", &line[..line.len().min(200)]);
    }
    // What every engine asks by itself at its start, and nothing else.
    for (request, _) in asked.lock().unwrap().drain(..) {
        let own = request.contains("/version") || request.contains("/images/");
        assert!(own && !request.starts_with("DELETE"), "{request}");
    }
    println!("{} lines that are no action: none reached Docker", lines.len());
    acts_on_its_own_only(&rig, &socket, &asked);
}

/// Sound actions about workers of nobody: Docker is asked for this host's label, and told to change nothing.
fn acts_on_its_own_only(rig: &Rig, socket: &Path, asked: &Asked) {
    let mut child = engine(rig, socket);
    let instance = rig.spec().instance;
    let actions = [
        json!({"action": "list"}),
        json!({"action": "stop", "instance": instance, "grace_ms": 0}),
        json!({"action": "stats", "instance": instance}),
        json!({"action": "logs", "instance": instance, "lines": 5}),
    ];
    let mut stdin = child.stdin.take().unwrap();
    for (id, action) in actions.iter().enumerate() {
        writeln!(stdin, "{}", json!({"id": id, "action": action})).unwrap();
    }
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    for _ in &actions {
        let mut line = String::new();
        assert_ne!(answers.read_line(&mut line).unwrap(), 0);
    }
    drop(stdin);
    assert_eq!(ended(child, "its end"), 0);
    let asked = asked.lock().unwrap();
    let lists: Vec<_> = asked.iter().filter(|(request, _)| request.contains("/containers")).collect();
    assert_eq!(lists.len(), actions.len(), "{asked:?}");
    for (request, body) in lists {
        assert!(request.starts_with("GET ") && request.contains("/containers/json"), "{request}");
        let label = format!("vitrine.host%3D{}", rig.host_id);
        assert!(request.contains(&label) && body.is_empty(), "{request} asks beyond the label of this host");
    }
}
