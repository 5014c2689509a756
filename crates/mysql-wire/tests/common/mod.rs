//! A private mysqld for tests: started once per test process from an initialised template, reachable by unix socket
//! and by a free port of 127.0.0.1, gone with the test process however that ends.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

/// Longest time that a start may take.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// The server of this test process.
pub(crate) static MYSQLD: LazyLock<Mysqld> = LazyLock::new(Mysqld::start);

/// A running server. root has no password and may connect from this machine.
pub(crate) struct Mysqld {
    pub(crate) socket: PathBuf,
    pub(crate) port: u16,
    pub(crate) data: PathBuf,
    /// A shell that waits for the end of its input, which comes with the end of this process, and then kills mysqld.
    _guard: Child,
}

impl Mysqld {
    fn start() -> Self {
        let program = Program::find();
        let dir = env::temp_dir().join(format!("vitrail-mysql-wire-{}", process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        let data = dir.join("data");
        copy(&program.template(), &data);
        let _ = fs::remove_file(data.join("auto.cnf"));
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let socket = dir.join("s.sock");
        let mysqld = program.command_line(&[
            &format!("--datadir={}", data.display()),
            &format!("--socket={}", socket.display()),
            &format!("--port={port}"),
            "--bind-address=127.0.0.1",
            "--mysqlx=0",
            "--secure-file-priv=NULL",
            "--skip-name-resolve",
            "--performance-schema=OFF",
            "--skip-log-bin",
            "--innodb-buffer-pool-size=32M",
            "--innodb-flush-log-at-trx-commit=0",
            "--max-allowed-packet=128M",
            "--local-infile=ON",
            &format!("--log-error={}", dir.join("error.log").display()),
        ]);
        let script = format!(
            "{mysqld} & pid=$!; read -r _; kill -9 $pid; wait $pid; rm -rf '{}'",
            dir.display()
        );
        let guard = Command::new("bash")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() || !socket.exists() {
            if begun.elapsed() > START_TIMEOUT {
                let log = fs::read_to_string(dir.join("error.log")).unwrap_or_default();
                panic!("mysqld did not start:\n{log}");
            }
            thread::sleep(Duration::from_millis(50));
        }
        Self {
            socket,
            port,
            data,
            _guard: guard,
        }
    }
}

/// A mysqld program and what it needs to run.
struct Program {
    mysqld: String,
    basedir: Option<String>,
}

impl Program {
    fn find() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/lib/mysql.sh");
        let output = Command::new("bash")
            .arg(script)
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "no mysqld");
        let lines: Vec<String> = BufReader::new(&output.stdout[..])
            .lines()
            .map(Result::unwrap)
            .collect();
        let value = |name: &str| {
            lines
                .iter()
                .find_map(|l| l.strip_prefix(name)?.strip_prefix('='))
                .map(str::to_owned)
        };
        Self {
            mysqld: value("MYSQLD").unwrap(),
            basedir: value("MYSQLD_BASEDIR"),
        }
    }

    fn command_line(&self, args: &[&str]) -> String {
        let mut line = format!("'{}' --no-defaults --user=root", self.mysqld);
        if let Some(base) = &self.basedir {
            line += &format!(
                " --basedir='{base}' --plugin-dir='{base}/lib/mysql/plugin' --lc-messages-dir='{base}/share/mysql'"
            );
        }
        for arg in args {
            line += &format!(" '{arg}'");
        }
        line
    }

    /// An initialised data directory, made once for each version of the server.
    fn template(&self) -> PathBuf {
        let version = Command::new(&self.mysqld)
            .args(["--no-defaults", "--version"])
            .output()
            .unwrap();
        let version: String = String::from_utf8_lossy(&version.stdout)
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
        fs::create_dir_all(root).unwrap();
        let template = root.join(format!("mysqld-template-{version}"));
        let lock = fs::File::create(root.join("mysqld-template.lock")).unwrap();
        lock.lock().unwrap();
        if !template.exists() {
            let new = template.with_extension("new");
            let _ = fs::remove_dir_all(&new);
            let init = self.command_line(&["--initialize-insecure", &format!("--datadir={}", new.display())]);
            let output = Command::new("bash").args(["-c", &init]).output().unwrap();
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            fs::rename(&new, &template).unwrap();
        }
        template
    }
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp")
        .args(["-r", "--reflink=auto"])
        .args([from, to])
        .status()
        .unwrap();
    assert!(status.success());
}
