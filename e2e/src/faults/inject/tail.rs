//! A primary that dies with commits in its log that nobody else has.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use nix::sys::signal::Signal;

use super::{Injector, OURSELVES, take_down, thaw};
use crate::faults::history::{Outcome, Told};
use crate::faults::plan::Tail;
use crate::faults::site::signal;

/// Connections that write the tail's rows.
const ROWS: u64 = 3;
/// How long the commits may take to begin their wait. The primary's leases end after two seconds.
const PATIENCE: Duration = Duration::from_millis(1500);
/// Commits that wait for an acknowledgement, and those that wait behind them.
const WAITING: &str = "SELECT COUNT(*) FROM information_schema.processlist \
    WHERE (state LIKE '%semi-sync%' OR state LIKE 'waiting for handler commit%') AND id IN";

impl Injector<'_> {
    /// Lets the primary write what no replica receives, and takes it down.
    ///
    /// The replicas' agents are frozen meanwhile, since they would start the receivers again.
    pub(super) async fn leave_a_tail(&mut self, kind: Tail) -> Result<()> {
        let [primary, replicas @ ..] = self.members.as_slice() else {
            anyhow::bail!("no members");
        };
        let (primary, replicas) = (primary.clone(), replicas.to_vec());
        let mut admin = self.site.admin(&primary).await?;
        let mut statements = self.statements(&primary, kind).await?;
        let mut receivers = Vec::new();
        let mut agents = Vec::new();
        for replica in &replicas {
            receivers.push(self.site.admin(replica).await?);
            agents.extend(self.site.pids(replica)?.agent);
        }
        for agent in &agents {
            signal(Some(*agent), Signal::SIGSTOP);
        }
        let cut = async {
            for receiver in &mut receivers {
                receiver.query_drop("STOP REPLICA IO_THREAD").await?;
            }
            let ids: Vec<String> = statements.iter().map(|(conn, _)| conn.id().to_string()).collect();
            let waiting = format!("{WAITING} ({})", ids.join(","));
            for (mut conn, statement) in statements.drain(..) {
                self.writes.push(tokio::spawn(async move {
                    // Nobody will acknowledge it: the connection ends with the server.
                    conn.query_drop(statement).await.ok();
                }));
            }
            let until = Instant::now() + PATIENCE;
            while admin.query_first::<usize, _>(&waiting).await? < Some(ids.len()) {
                ensure!(Instant::now() < until, "the commits do not wait");
            }
            anyhow::Ok(())
        };
        let cut = cut.await;
        if cut.is_ok() {
            take_down(self.site.pids(&primary)?);
        }
        thaw(&agents);
        cut
    }

    /// Connections, and what each of them is going to commit. Their rows may be there afterwards or not, like any that was never
    /// acknowledged.
    async fn statements(&self, primary: &str, kind: Tail) -> Result<Vec<(Conn, String)>> {
        let first = self.history.next();
        let mut statements = Vec::new();
        for _ in 0..ROWS {
            let insert = self.insert();
            statements.push((self.site.app(primary).await?, insert));
        }
        match kind {
            Tail::Rows => {}
            Tail::Ddl => {
                for ddl in [
                    format!("CREATE TABLE tail_{first} (id INT PRIMARY KEY)"),
                    format!("ALTER TABLE aside ADD COLUMN c_{first} INT"),
                ] {
                    statements.push((self.site.app(primary).await?, ddl));
                }
            }
            Tail::Xa => {
                let mut to_prepare = self.site.app(primary).await?;
                self.branch(&mut to_prepare, &format!("prepare-{first}")).await?;
                statements.push((to_prepare, format!("XA PREPARE 'prepare-{first}'")));
                let mut to_commit = self.site.app(primary).await?;
                self.branch(&mut to_commit, &format!("commit-{first}")).await?;
                to_commit
                    .query_drop(format!("XA PREPARE 'commit-{first}'"))
                    .await
                    .context("cannot prepare a branch")?;
                statements.push((to_commit, format!("XA COMMIT 'commit-{first}'")));
            }
        }
        Ok(statements)
    }

    async fn branch(&self, conn: &mut Conn, id: &str) -> Result<()> {
        let insert = self.insert();
        for statement in [format!("XA START '{id}'"), insert, format!("XA END '{id}'")] {
            conn.query_drop(statement).await?;
        }
        Ok(())
    }

    fn insert(&self) -> String {
        let values = self.history.take(1);
        let statement = format!(
            "INSERT INTO t (value, writer) VALUES ({}, {OURSELVES})",
            values.start
        );
        let now = self.history.now();
        self.history
            .record(OURSELVES, values, now, Outcome::Unknown(Told::Gone));
        statement
    }
}
