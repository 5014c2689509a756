//! A real etcd of one member, in a process of its own.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;

/// Ports that this process has given out, on its own loopback address.
static PORT: AtomicU16 = AtomicU16::new(20_000);

/// Room for the largest value and what is around it.
pub(crate) const REQUEST_BYTES_MAX: usize = topology::store::VALUE_BYTES_MAX + (1 << 20);

/// Dropping it kills the etcd and deletes its data.
pub(crate) struct Etcd {
    folder: TempDir,
    client: String,
    peer: String,
    request_bytes_max: Option<usize>,
    process: Option<Child>,
}

impl Etcd {
    /// Starts an empty one; it answers a moment later. None leaves the largest request as etcd has it.
    pub(crate) fn start(request_bytes_max: Option<usize>) -> Self {
        let mut etcd = Self {
            folder: tempfile::tempdir().unwrap(),
            client: address(),
            peer: address(),
            request_bytes_max,
            process: None,
        };
        etcd.start_again();
        etcd
    }

    /// Its address for clients, as `etcd:...` takes it.
    pub(crate) fn member(&self) -> &str {
        &self.client
    }

    /// Kills it as a power cut would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Loses its disk.
    pub(crate) fn wipe(&self) {
        std::fs::remove_dir_all(self.data()).unwrap();
    }

    /// Starts it with the data it has.
    pub(crate) fn start_again(&mut self) {
        let program = std::env::var_os("ETCD").expect(
            "ETCD is not set to an etcd: scripts/test sets it; without that, eval \"$(scripts/lib/etcd.sh)\" and export it",
        );
        let mut command = Command::new(&program);
        let (client, peer) = (format!("http://{}", self.client), format!("http://{}", self.peer));
        command
            .arg("--data-dir")
            .arg(self.data())
            .args([
                "--listen-client-urls",
                &client,
                "--advertise-client-urls",
                &client,
            ])
            .args([
                "--listen-peer-urls",
                &peer,
                "--initial-advertise-peer-urls",
                &peer,
            ])
            .args(["--initial-cluster", &format!("default={peer}")])
            // The tests kill the process, not the machine.
            .args(["--unsafe-no-fsync", "--log-level", "error"])
            .stdin(Stdio::null());
        if let Some(bytes) = self.request_bytes_max {
            command.args(["--max-request-bytes", &bytes.to_string()]);
        }
        self.process = Some(command.spawn().unwrap());
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(sent.success());
    }

    fn data(&self) -> std::path::PathBuf {
        Path::join(self.folder.path(), "data")
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An address that no other test process uses: etcd cannot choose a free port and tell it.
fn address() -> String {
    let [_, a, b, c] = std::process::id().to_be_bytes();
    let host = Ipv4Addr::new(127, a.wrapping_add(1), b, c);
    format!("{host}:{}", PORT.fetch_add(1, Ordering::Relaxed))
}
