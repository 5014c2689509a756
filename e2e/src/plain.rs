//! A plain mysqld: the judge of what is right.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use mysql_async::prelude::Queryable;

use crate::bound::{self, Dir, await_ok};
use crate::tools;

/// Options that Vitrail's own mysqlds have, too, and that show in answers.
const OPTIONS: &[&str] = &[
    "--performance-schema=OFF",
    "--mysqlx=0",
    "--secure-file-priv=NULL",
    "--skip-name-resolve",
    "--local-infile=ON",
    "--gtid-mode=ON",
    "--enforce-gtid-consistency=ON",
    "--log-bin=binlog",
    "--log-bin-trust-function-creators=ON",
    "--max-allowed-packet=1G",
    "--innodb-buffer-pool-size=64M",
    "--innodb-flush-log-at-trx-commit=0",
    "--sync-binlog=0",
];

/// Name and password of the account on a plain server. It has every right.
pub const ACCOUNT: (&str, &str) = ("e2e", "e2e-secret");

/// An account like the gateway's own on its servers, at `localhost`: views and routines name it as their definer. It has the
/// password of [`ACCOUNT`].
pub const DEFINER: &str = "vitrail_app";

/// A running plain mysqld.
#[derive(Debug)]
pub struct Plain {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    child: Child,
    dir: Dir,
}

impl Plain {
    /// Initialises and starts a server (about 6 s) with the given program, further options included.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(mysqld: &Path, basedir: Option<&Path>, options: &[&str]) -> Result<Self> {
        let dir = Dir::new()?;
        let port = tools::free_port()?;
        let mut common = vec![
            "--no-defaults".to_owned(),
            format!("--datadir={}", dir.path().join("data").display()),
        ];
        if let Some(basedir) = basedir {
            common.push(format!("--basedir={}", basedir.display()));
            common.push(format!(
                "--plugin-dir={}",
                basedir.join("lib/mysql/plugin").display()
            ));
            common.push(format!(
                "--lc-messages-dir={}",
                basedir.join("share/mysql").display()
            ));
        }
        if nix::unistd::geteuid().is_root() {
            common.push("--user=root".to_owned());
        }
        let init = dir.path().join("init.sql");
        let (user, password) = ACCOUNT;
        std::fs::write(
            &init,
            format!(
                "CREATE USER {user} IDENTIFIED BY '{password}'; GRANT ALL ON *.* TO {user} WITH GRANT OPTION;\n\
                 CREATE USER {DEFINER}@localhost IDENTIFIED BY '{password}'; GRANT ALL ON *.* TO {DEFINER}@localhost;\n"
            ),
        )?;
        let log = dir.path().join("mysqld.log");
        let output = Command::new(mysqld)
            .args(&common)
            .arg("--initialize-insecure")
            .arg(format!("--init-file={}", init.display()))
            .stderr(std::fs::File::create(&log)?)
            .status()?;
        ensure!(
            output.success(),
            "mysqld --initialize failed:\n{}",
            std::fs::read_to_string(&log)?
        );
        let file = std::fs::OpenOptions::new().append(true).open(&log)?;
        let child = bound::spawn(mysqld, |command| {
            command
                .args(&common)
                .args(OPTIONS)
                .args(options)
                .arg("--bind-address=127.0.0.1")
                .arg(format!("--port={port}"))
                .arg(format!("--socket={}", dir.path().join("s.sock").display()))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(file);
        })?;
        let mut server = Self { port, child, dir };
        await_ok(Duration::from_secs(60), || {
            if let Some(status) = server.child.try_wait()? {
                bail!("mysqld ended ({status}):\n{}", std::fs::read_to_string(&log)?);
            }
            std::net::TcpStream::connect(("127.0.0.1", port)).context("mysqld does not listen")
        })?;
        Ok(server)
    }

    /// The server that the cluster under test runs, too.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_default() -> Result<Self> {
        let found = tools::assignments("mysql", &[])?;
        let mysqld = found.get("MYSQLD").context("no MYSQLD")?;
        Self::start(Path::new(mysqld), found.get("MYSQLD_BASEDIR").map(Path::new), &[])
    }

    /// Where it listens for [`DEFINER`].
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("s.sock")
    }

    /// A directory for files of the tests.
    pub fn dir(&self) -> PathBuf {
        self.dir.path().to_path_buf()
    }

    /// How to connect, with a database selected or without.
    pub fn opts(&self, database: Option<&str>) -> mysql_async::Opts {
        mysql_async::OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(self.port)
            .user(Some(ACCOUNT.0))
            .pass(Some(ACCOUNT.1))
            .db_name(database)
            .prefer_socket(false)
            .ssl_opts(Some(
                mysql_async::SslOpts::default().with_danger_accept_invalid_certs(true),
            ))
            .into()
    }

    /// Runs statements that return nothing.
    ///
    /// # Errors
    /// The server's.
    pub async fn execute(&self, database: Option<&str>, statements: &[&str]) -> Result<()> {
        let mut conn = mysql_async::Conn::new(self.opts(database)).await?;
        for statement in statements {
            conn.query_drop(*statement)
                .await
                .with_context(|| (*statement).to_owned())?;
        }
        conn.disconnect().await?;
        Ok(())
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
