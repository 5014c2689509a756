//! MySQL's own test suite, by its own client `mysqltest`.
//!
//! A file's expected result is recorded against a plain mysqld; the result files that come with the suite belong to a server with
//! other options. Which files take part is decided by [`filter`]; how each ends, by [`Runner::run`].

pub mod filter;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mysql_async::prelude::Queryable;

use crate::tools;

/// A file that takes longer hangs; the slowest of the suite's candidates needs a tenth of it.
const FILE_SECONDS_MAX: u64 = 120;

/// The unpacked suite.
#[derive(Debug, Clone)]
pub struct Suite {
    /// Directory of `t/`, `include/` and so on.
    pub dir: PathBuf,
    /// The client.
    pub mysqltest: PathBuf,
    /// The server of the same version, and its prefix.
    pub mysqld: PathBuf,
    /// Installation prefix of the server.
    pub basedir: PathBuf,
}

impl Suite {
    /// Unpacks the suite by `scripts/lib/mysql.sh testsuite`, if it is not there yet.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn find() -> Result<Self> {
        let found = tools::assignments("mysql", &["testsuite"])?;
        let path = |name: &str| {
            found
                .get(name)
                .map(PathBuf::from)
                .with_context(|| format!("no {name}"))
        };
        Ok(Self {
            dir: path("MYSQL_TEST_SUITE")?,
            mysqltest: path("MYSQLTEST")?,
            mysqld: path("MYSQLD")?,
            basedir: path("MYSQLD_BASEDIR")?,
        })
    }
}

/// A server to run files on. Its database `test` is emptied before each file.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where it listens.
    pub address: Address,
    /// Account with all rights on `test`.
    pub user: String,
    /// Its password.
    pub password: String,
}

/// Where a target listens.
#[derive(Debug, Clone)]
pub enum Address {
    /// Port on 127.0.0.1.
    Port(u16),
    /// Unix socket: the only way in for accounts at `localhost`.
    Socket(PathBuf),
}

impl Address {
    fn args(&self) -> Vec<String> {
        match self {
            Self::Port(port) => ["--protocol=tcp", "--host=127.0.0.1", &format!("--port={port}")]
                .map(str::to_owned)
                .to_vec(),
            Self::Socket(path) => vec![
                "--protocol=socket".to_owned(),
                format!("--socket={}", path.display()),
            ],
        }
    }

    fn opts(&self) -> mysql_async::OptsBuilder {
        let opts = mysql_async::OptsBuilder::default().prefer_socket(false);
        match self {
            Self::Port(port) => {
                let tls = mysql_async::SslOpts::default().with_danger_accept_invalid_certs(true);
                opts.ip_or_hostname("127.0.0.1")
                    .tcp_port(*port)
                    .ssl_opts(Some(tls))
            }
            Self::Socket(path) => opts.socket(Some(path.display().to_string())),
        }
    }
}

/// How a file ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As recorded (or recorded).
    Passed,
    /// The file itself said that it cannot run here.
    Skipped,
    /// Something was different; the end of mysqltest's report.
    Failed(String),
}

/// Runs files and keeps their recorded results.
#[derive(Debug)]
pub struct Runner {
    suite: Suite,
    work: PathBuf,
}

impl Runner {
    /// Results and temporary files go below `work`.
    ///
    /// # Errors
    /// When the directories cannot be made.
    pub fn new(suite: Suite, work: &Path) -> Result<Self> {
        for dir in ["r", "log", "tmp"] {
            std::fs::create_dir_all(work.join(dir))?;
        }
        Ok(Self {
            suite,
            work: work.to_path_buf(),
        })
    }

    /// Runs one file: records its result, or compares with what was recorded before.
    ///
    /// # Errors
    /// When mysqltest cannot be started or the database cannot be emptied.
    pub async fn run(&self, target: &Target, name: &str, record: bool) -> Result<Outcome> {
        self.empty(target).await?;
        let result = self.work.join("r").join(format!("{name}.result"));
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=5", &FILE_SECONDS_MAX.to_string()])
            .arg(&self.suite.mysqltest)
            .args([
                "--no-defaults",
                "--silent",
                "--database=test",
                "--tail-lines=20",
                &format!("--user={}", target.user),
                &format!("--password={}", target.password),
                &format!("--basedir={}/", self.suite.dir.display()),
                &format!(
                    "--character-sets-dir={}/share/mysql/charsets",
                    self.suite.basedir.display()
                ),
                &format!("--tmpdir={}/tmp", self.work.display()),
                &format!("--logdir={}/log", self.work.display()),
                &format!("--test-file={}/t/{name}.test", self.suite.dir.display()),
                &format!("--result-file={}", result.display()),
            ]);
        command.args(target.address.args());
        if record {
            command.arg("--record");
        }
        let output = command
            .current_dir(&self.suite.dir)
            .env("MYSQL_TEST_DIR", &self.suite.dir)
            .env("MYSQLTEST_VARDIR", &self.work)
            .env("MYSQL_TMP_DIR", self.work.join("tmp"))
            .env("LC_ALL", "C")
            .env("TZ", "GMT-3")
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot run {}", self.suite.mysqltest.display()))?;
        let mut report = String::from_utf8_lossy(&output.stdout).into_owned();
        report.push_str(&String::from_utf8_lossy(&output.stderr));
        Ok(match output.status.code() {
            Some(0) => Outcome::Passed,
            Some(62) => Outcome::Skipped,
            Some(124 | 137) => Outcome::Failed(format!("took more than {FILE_SECONDS_MAX} s")),
            _ => Outcome::Failed(tail(&report)),
        })
    }

    /// A fresh database, as mysql-test-run gives each file.
    async fn empty(&self, target: &Target) -> Result<()> {
        let opts = target
            .address
            .opts()
            .user(Some(&target.user))
            .pass(Some(&target.password));
        let renew = async {
            let mut conn = mysql_async::Conn::new(opts).await?;
            conn.query_drop("DROP DATABASE IF EXISTS test").await?;
            conn.query_drop("CREATE DATABASE IF NOT EXISTS test").await?;
            conn.disconnect().await
        };
        let done = tokio::time::timeout(Duration::from_secs(60), renew).await;
        ensure!(done.is_ok(), "emptying the database hangs");
        Ok(done??)
    }
}

/// The last lines, which say what was different.
fn tail(report: &str) -> String {
    let lines: Vec<&str> = report.lines().collect();
    lines
        .get(lines.len().saturating_sub(30)..)
        .unwrap_or_default()
        .join("\n")
}

/// Lines of a list file: a name and, behind it, a reason; `#` begins a comment.
pub fn list(text: &str) -> Vec<(String, String)> {
    text.lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty())
        .map(|line| line.split_once(char::is_whitespace).unwrap_or((line, "")))
        .map(|(name, reason)| (name.to_owned(), reason.trim().to_owned()))
        .collect()
}
