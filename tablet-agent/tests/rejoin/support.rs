//! Members of a shard as plain mysqld processes, with the agent's configuration and without an agent.
//!
//! They are started by the test's own thread through `tablet-agent exec --parent`, so nothing outlives the test, however it ends.

use std::io::Cursor;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use binlog::compare::compare;
use binlog::gtid::GtidSet;
use clap::Parser as _;
use mysql_async::prelude::{FromRow, Queryable as _};
use mysql_async::{Conn, OptsBuilder};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tablet_agent::cli::{Cli, Command as Part};
use tablet_agent::control::Control;
use tablet_agent::layout::Layout;
use tablet_agent::mysqld::config::{Settings, render};
use tablet_agent::mysqld::version::Version;
use tablet_agent::mysqld::{datadir, template as template_dir};
use tablet_agent::rejoin;
use tablet_agent::server::replication;

use crate::server::{SECRETS, server, template};

/// Long enough for a loaded machine; tests wait for conditions, not for time.
const PATIENCE: Duration = Duration::from_secs(90);

/// Makes the template unless it exists.
pub(crate) fn prepare(dir: &Path) {
    let secrets = dir.join("secrets.json");
    std::fs::write(&secrets, SECRETS).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tablet-agent"));
    command
        .arg("template")
        .arg("--template")
        .arg(template())
        .arg("--secrets")
        .arg(secrets)
        .arg("--mysqld")
        .arg(&server().mysqld);
    if let Some(basedir) = &server().basedir {
        command.arg("--mysqld-basedir").arg(basedir);
    }
    assert!(command.status().unwrap().success());
}

/// One mysqld.
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) layout: Layout,
    pub(crate) port: u16,
    id: u32,
    process: Option<Child>,
}

impl Member {
    /// A member with a data directory of its own, which does not run yet.
    pub(crate) fn new(dir: &Path, name: &'static str, id: u32) -> Member {
        let at = dir.join(name);
        let text = at.display().to_string();
        let words = [
            "tablet-agent",
            "supervise",
            "--alias=x-1",
            "--keyspace=x",
            "--shard=-",
            "--topology=unix:/nowhere",
            "--secrets=/nowhere",
            "--dir",
            &text,
        ];
        let Part::Supervise(args) = Cli::parse_from(words).command else {
            unreachable!()
        };
        let layout = Layout::prepare(&args.tablet).unwrap();
        datadir::create(
            &template_dir::data(&template()),
            &layout.data,
            &datadir::random_uuid(),
        )
        .unwrap();
        Member {
            name,
            layout,
            port: TcpListener::bind(("127.0.0.1", 0))
                .unwrap()
                .local_addr()
                .unwrap()
                .port(),
            id,
            process: None,
        }
    }

    pub(crate) fn data(&self) -> &Path {
        &self.layout.data
    }

    /// Starts mysqld, fenced as the agent's configuration has it, and waits until it answers.
    pub(crate) async fn start(&mut self) {
        rejoin::before_start(self.data()).unwrap();
        let text = render(&Settings {
            version: Version::of(&server().mysqld).unwrap(),
            layout: &self.layout,
            basedir: server().basedir.as_deref(),
            server_id: self.id,
            host: "127.0.0.1",
            port: self.port,
            buffer_pool_mib: 64,
            acks: 1,
            extra: "",
            as_root: template_dir::is_root(),
        });
        std::fs::write(&self.layout.my_cnf, text).unwrap();
        let mut option = std::ffi::OsString::from("--defaults-file=");
        option.push(&self.layout.my_cnf);
        let process = Command::new(env!("CARGO_BIN_EXE_tablet-agent"))
            .args(["exec", "--parent"])
            .arg(std::process::id().to_string())
            .arg("--")
            .arg(&server().mysqld)
            .arg(option)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.process = Some(process);
        let begin = Instant::now();
        while self.try_conn().await.is_err() {
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            assert!(
                ended.is_none() && begin.elapsed() < PATIENCE,
                "{} does not start: {ended:?}\n{}",
                self.name,
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
        self.remove_run_files();
    }

    /// Stops mysqld in order.
    pub(crate) async fn shut_down(&mut self) {
        let pid = i32::try_from(self.process.as_ref().unwrap().id()).unwrap();
        kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
        self.ended().await;
    }

    /// Waits until mysqld has ended by itself.
    pub(crate) async fn ended(&mut self) {
        let begin = Instant::now();
        let process = self.process.as_mut().unwrap();
        while process.try_wait().unwrap().is_none() {
            assert!(begin.elapsed() < PATIENCE, "{} does not end", self.name);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.process = None;
        self.remove_run_files();
    }

    fn remove_run_files(&self) {
        for name in ["mysql.sock", "mysql.sock.lock", "mysqld.pid"] {
            let _ = std::fs::remove_file(self.layout.run.join(name));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.layout.error_log).unwrap_or_default()
    }

    async fn try_conn(&self) -> mysql_async::Result<Conn> {
        let opts = OptsBuilder::default()
            .socket(Some(self.layout.mysql_socket.display().to_string()))
            .user(Some("vitrail_agent"))
            .pass(Some("agent-password"))
            .stmt_cache_size(Some(0));
        Conn::new(opts).await
    }

    pub(crate) async fn conn(&self) -> Conn {
        self.try_conn().await.unwrap()
    }

    /// Runs statements on one connection.
    pub(crate) async fn run(&self, statements: &[&str]) {
        let mut conn = self.conn().await;
        for statement in statements {
            if let Err(error) = conn.query_drop(*statement).await {
                panic!("{}: {statement}: {error}", self.name);
            }
        }
        conn.disconnect().await.unwrap();
    }

    pub(crate) async fn rows<T: FromRow + Send + 'static>(&self, query: &str) -> Vec<T> {
        let mut conn = self.conn().await;
        let rows = conn.query(query).await.unwrap();
        conn.disconnect().await.unwrap();
        rows
    }

    pub(crate) async fn executed(&self) -> GtidSet {
        let rows: Vec<String> = self.rows("SELECT @@global.gtid_executed").await;
        rows[0].parse().unwrap()
    }

    /// Accepts writes, which wait for an acknowledgement.
    pub(crate) async fn lead(&self) {
        self.run(&[
            "STOP REPLICA",
            "RESET REPLICA ALL",
            "SET GLOBAL rpl_semi_sync_replica_enabled=OFF, GLOBAL rpl_semi_sync_source_enabled=ON",
            "SET GLOBAL super_read_only=OFF, GLOBAL read_only=OFF, GLOBAL offline_mode=OFF",
        ])
        .await;
    }

    /// Replicates and acknowledges.
    pub(crate) async fn follow(&self, source: &Member) {
        let change = format!(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={}, SOURCE_USER='vitrail_repl', \
             SOURCE_PASSWORD='repl-password', SOURCE_AUTO_POSITION=1, SOURCE_SSL=1, SOURCE_CONNECT_RETRY=1, \
             SOURCE_RETRY_COUNT=0, SOURCE_HEARTBEAT_PERIOD=1",
            source.port
        );
        self.run(&[
            "SET GLOBAL super_read_only=ON",
            "STOP REPLICA",
            "RESET REPLICA ALL",
            "SET GLOBAL rpl_semi_sync_source_enabled=OFF, GLOBAL rpl_semi_sync_replica_enabled=ON",
            &change,
            "START REPLICA",
        ])
        .await;
    }

    /// Waits until this member has executed what the other has.
    pub(crate) async fn caught_up(&self, with: &Member) {
        let wanted = with.executed().await;
        let begin = Instant::now();
        loop {
            let executed = self.executed().await;
            if wanted.is_subset(&executed) {
                return;
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "{} misses {} of {}\n{}",
                self.name,
                wanted.difference(&executed),
                with.name,
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// What a follower whose leader is gone has, when all that it received is applied.
    pub(crate) async fn all_applied(&self) -> GtidSet {
        self.run(&["STOP REPLICA IO_THREAD"]).await;
        let control = Control::new(&self.layout.mysql_socket, "vitrail_agent", "agent-password");
        let status = replication(&control).await.unwrap().unwrap();
        let received: GtidSet = status.retrieved.parse().unwrap();
        let begin = Instant::now();
        loop {
            let executed = self.executed().await;
            if received.is_subset(&executed) {
                return executed;
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "{}: {status:?}\n{}",
                self.name,
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// The binary log's files, oldest first.
    pub(crate) fn logs(&self) -> Vec<PathBuf> {
        let index = std::fs::read_to_string(self.data().join("binlog.index")).unwrap();
        index.lines().map(|name| self.data().join(name)).collect()
    }

    /// What is in the binary log and not in a set; mysqld may be writing.
    pub(crate) fn logged_beyond(&self, known: &GtidSet) -> GtidSet {
        let mut out = GtidSet::default();
        for file in self.logs() {
            let bytes = std::fs::read(&file).unwrap();
            if let Ok(found) = compare(Cursor::new(bytes), known) {
                out = out.union(&found.missing);
            }
        }
        out
    }

    /// Waits until as many transactions as expected are in the binary log that the set lacks.
    pub(crate) async fn has_logged(&self, count: u64, beyond: &GtidSet) {
        self.until_logged(beyond, |logged| logged.count() == count).await;
    }

    /// Waits until anything is in the binary log that the set lacks.
    pub(crate) async fn logs_beyond(&self, known: &GtidSet) {
        self.until_logged(known, |logged| !logged.is_empty()).await;
    }

    async fn until_logged(&self, beyond: &GtidSet, wanted: impl Fn(&GtidSet) -> bool) {
        let begin = Instant::now();
        while !wanted(&self.logged_beyond(beyond)) {
            assert!(
                begin.elapsed() < PATIENCE,
                "{}: {:?}: {:?}",
                self.name,
                self.logged_beyond(beyond),
                self.rows::<(u64, Option<String>, Option<String>)>(
                    "SELECT id, state, info FROM information_schema.processlist"
                )
                .await
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everything that members must have in common: definitions and rows of all tables, accounts, programs, prepared branches.
    pub(crate) async fn content(&self) -> Vec<String> {
        let mut out = Vec::new();
        let tables: Vec<(String, String)> = self
            .rows(
                "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND \
                 table_schema NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema') ORDER BY 1, 2",
            )
            .await;
        for (schema, table) in tables {
            let table = format!("`{schema}`.`{table}`");
            let made: Vec<(String, String)> = self.rows(&format!("SHOW CREATE TABLE {table}")).await;
            let sum: Vec<(String, Option<u64>)> =
                self.rows(&format!("CHECKSUM TABLE {table} EXTENDED")).await;
            let check: Vec<(String, String, String, String)> =
                self.rows(&format!("CHECK TABLE {table} EXTENDED")).await;
            assert!(check.iter().all(|c| c.3 == "OK"), "{}: {check:?}", self.name);
            let made = made.first().map_or("", |(_, made)| made);
            out.push(format!("{} {sum:?}", without_counter(made)));
        }
        for query in [
            "SELECT CONCAT_WS(' ', schema_name, default_collation_name) FROM information_schema.schemata ORDER BY 1",
            "SELECT CONCAT_WS(' ', table_schema, table_name, view_definition) FROM information_schema.views \
             WHERE table_schema <> 'sys' ORDER BY 1",
            "SELECT CONCAT_WS(' ', trigger_schema, trigger_name, action_statement) FROM information_schema.triggers \
             WHERE trigger_schema <> 'sys' ORDER BY 1",
            "SELECT CONCAT_WS(' ', routine_schema, routine_name, routine_definition) FROM information_schema.routines \
             WHERE routine_schema <> 'sys' ORDER BY 1",
            "SELECT CONCAT_WS(' ', user, host, authentication_string, account_locked) FROM mysql.user ORDER BY 1",
            "SELECT CONCAT_WS(' ', user, host, db, select_priv, insert_priv) FROM mysql.db ORDER BY 1",
            "SELECT CONCAT_WS(' ', user, host, priv) FROM mysql.global_grants ORDER BY 1",
        ] {
            out.extend(self.rows::<String>(query).await);
        }
        let branches: Vec<(u32, u32, u32, String)> = self.rows("XA RECOVER").await;
        let mut branches: Vec<String> = branches
            .into_iter()
            .map(|b| format!("prepared: {}", b.3))
            .collect();
        branches.sort();
        out.extend(branches);
        out
    }
}

/// A table's definition without the next AUTO_INCREMENT value, which no rollback and so no rewind takes back.
fn without_counter(made: &str) -> String {
    match made.split_once(" AUTO_INCREMENT=") {
        Some((before, after)) => format!(
            "{before}{}",
            after.trim_start_matches(|c: char| c.is_ascii_digit())
        ),
        None => made.to_owned(),
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
