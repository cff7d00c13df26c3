//! Pebble, the ACME server that Let's Encrypt tests with, and the name server that it asks: every name is 127.0.0.1.

use crate::wait::wait_until;
use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);

/// An address of this machine that nobody has now.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// One that runs; ended when dropped.
pub struct Pebble {
    processes: [Child; 2],
    folder: TempDir,
    /// Where its directory is.
    pub address: SocketAddr,
    management: SocketAddr,
}

impl Drop for Pebble {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill().and_then(|()| process.wait());
        }
    }
}

impl Pebble {
    /// Whether it is here; one line if not.
    pub fn is_there() -> bool {
        let runs = |program| Command::new(program).arg("-h").stderr(Stdio::null()).status().is_ok();
        let found = runs("pebble") && runs("pebble-challtestsrv");
        if !found {
            println!("SKIPPED: no pebble on this machine");
        }
        found
    }

    /// Starts it at this address, with a certificate for `localhost`; it looks at names at these two listeners, and its certificates
    /// last so many seconds.
    pub fn start(
        address: SocketAddr,
        [certificate, key]: [&Path; 2],
        plain: SocketAddr,
        tls: SocketAddr,
        lifetime_s: u32,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (management, names, settings) = (free_address(), free_address(), free_address());
        let configuration = serde_json::json!({ "pebble": {
            "listenAddress": address.to_string(),
            "managementListenAddress": management.to_string(),
            "certificate": certificate,
            "privateKey": key,
            "httpPort": plain.port(),
            "tlsPort": tls.port(),
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "certificateValidityPeriod": lifetime_s,
        } });
        let file = folder.path().join("pebble.json");
        std::fs::write(&file, configuration.to_string()).unwrap();
        let log = || File::options().create(true).append(true).open(folder.path().join("log")).unwrap();
        let mut resolver = Command::new("pebble-challtestsrv");
        resolver.args(["-defaultIPv6", "", "-http01", "", "-https01", "", "-tlsalpn01", ""]);
        resolver.args(["-dns01", &names.to_string(), "-management", &settings.to_string()]);
        let mut server = Command::new("pebble");
        server.args(["-strict", "-dnsserver", &names.to_string(), "-config"]).arg(&file);
        // It looks at once instead of within five seconds.
        server.env("PEBBLE_VA_NOSLEEP", "1");
        let start =
            |mut program: Command| program.stdin(Stdio::null()).stdout(log()).stderr(log()).spawn().unwrap();
        let pebble = Self { processes: [start(resolver), start(server)], folder, address, management };
        wait_until("pebble and its name server listen", PATIENCE, || {
            [address, management, names].iter().all(|at| TcpStream::connect(at).is_ok()).then_some(())
        });
        pebble
    }

    /// URL of the directory of one at this address.
    pub fn directory(address: SocketAddr) -> String {
        format!("https://localhost:{}/dir", address.port())
    }

    /// Its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// The certificate that its chains end in, in PEM.
    pub async fn root(&self) -> Vec<u8> {
        let client = reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(true);
        let url = format!("https://{}/roots/0", self.management);
        let answer = client.build().unwrap().get(url).send().await.unwrap();
        answer.error_for_status().unwrap().bytes().await.unwrap().to_vec()
    }
}
