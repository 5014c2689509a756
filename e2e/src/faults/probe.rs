//! Tries all the time to write to every server past the gateway, as a gateway that knows nothing of terms would: whoever takes such a
//! write must be the primary of its term, and what it took must not be lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error};
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::history::{CLIENTS, History, Outcome, Told};
use super::site::Site;

/// Pause between two tries.
const PACE: Duration = Duration::from_millis(50);
/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// The server is read-only.
const READ_ONLY: u16 = 1290;

/// Whether a server lets clients write, and whether their commits wait for others then. The gate is read before and after.
const FLAGS: &str = "SELECT @@super_read_only OR @@offline_mode, \
    @@rpl_semi_sync_source_enabled AND @@rpl_semi_sync_source_wait_for_replica_count > 0 \
    AND @@rpl_semi_sync_source_wait_no_replica, @@super_read_only OR @@offline_mode";

/// Probes that run until they are stopped.
#[derive(Debug)]
pub struct Probes {
    stop: Arc<AtomicBool>,
    tasks: JoinSet<()>,
    unguarded: Arc<Mutex<Vec<String>>>,
}

impl Probes {
    /// Starts two probes per member: one writes, one looks at the settings.
    pub fn start(site: &Site, history: &Arc<History>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let unguarded = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        for (member, writer) in site.members.iter().zip(CLIENTS..) {
            tasks.spawn(write(
                site.clone(),
                member.clone(),
                writer,
                history.clone(),
                stop.clone(),
            ));
            tasks.spawn(look(
                site.clone(),
                member.clone(),
                unguarded.clone(),
                history.clone(),
                stop.clone(),
            ));
        }
        Self {
            stop,
            tasks,
            unguarded,
        }
    }

    /// Ends the probes; returns which members let clients write without waiting for anybody, and when.
    pub async fn stop(self) -> Vec<String> {
        self.stop.store(true, Ordering::SeqCst);
        self.tasks.join_all().await;
        std::mem::take(&mut *self.unguarded.lock())
    }
}

async fn write(site: Site, member: String, writer: u32, history: Arc<History>, stop: Arc<AtomicBool>) {
    let mut conn = None;
    while !stop.load(Ordering::SeqCst) {
        tokio::time::sleep(PACE).await;
        let Some(mut to) = connected(conn.take(), site.app(&member)).await else {
            continue;
        };
        let values = history.take(1);
        let sent = history.now();
        let insert = format!(
            "INSERT INTO t (value, writer) VALUES ({}, {writer})",
            values.start
        );
        let outcome = match timeout(PATIENCE, to.query_drop(insert)).await {
            Ok(Ok(())) => Outcome::Acked,
            Ok(Err(Error::Server(error))) if error.code == READ_ONLY => {
                Outcome::Refused(Told::Code(error.code))
            }
            Ok(Err(Error::Server(error))) => Outcome::Unknown(Told::Code(error.code)),
            Ok(Err(_)) => Outcome::Unknown(Told::Gone),
            Err(_) => Outcome::Unknown(Told::Silence),
        };
        history.record(writer, values, sent, outcome);
        if matches!(outcome, Outcome::Acked | Outcome::Refused(_)) {
            conn = Some(to);
        }
    }
}

async fn look(
    site: Site,
    member: String,
    unguarded: Arc<Mutex<Vec<String>>>,
    history: Arc<History>,
    stop: Arc<AtomicBool>,
) {
    let mut conn = None;
    while !stop.load(Ordering::SeqCst) {
        tokio::time::sleep(PACE * 2).await;
        let Some(mut to) = connected(conn.take(), site.admin(&member)).await else {
            continue;
        };
        let found = timeout(PATIENCE, to.query_first::<(bool, bool, bool), _>(FLAGS)).await;
        if let Ok(Ok(Some((closed_before, waits, closed_after)))) = found {
            if !closed_before && !waits && !closed_after {
                let at = history.now().as_millis();
                unguarded.lock().push(format!(
                    "{member} lets clients write without waiting for anybody at {at} ms"
                ));
            }
            conn = Some(to);
        }
    }
}

async fn connected(conn: Option<Conn>, connect: impl Future<Output = Result<Conn>>) -> Option<Conn> {
    match conn {
        Some(conn) => Some(conn),
        None => timeout(PATIENCE, connect).await.ok()?.ok(),
    }
}
