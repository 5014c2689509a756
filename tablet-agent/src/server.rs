//! What a running mysqld says about itself, in the few queries that every pass makes.

use std::time::Duration;

use binlog::gtid::{GtidError, GtidSet};
use mysql_async::Row;

use crate::control::{Control, ControlError};

const QUICK: Duration = Duration::from_secs(5);

/// The settings that fencing and durability depend on.
#[derive(Debug, Clone)]
pub struct Flags {
    /// @@read_only.
    pub read_only: bool,
    /// @@super_read_only.
    pub super_read_only: bool,
    /// @@offline_mode.
    pub offline: bool,
    /// Semi-sync of the source.
    pub source_enabled: bool,
    /// W.
    pub wait_for_replica_count: u32,
    /// In milliseconds.
    pub source_timeout: u64,
    /// Whether commits wait even when fewer than W replicas are attached.
    pub wait_no_replica: bool,
    /// Semi-sync of the replica.
    pub replica_enabled: bool,
    /// @@gtid_executed without line breaks.
    pub gtid_text: String,
}

impl Flags {
    /// @@gtid_executed.
    pub fn gtid_executed(&self) -> Result<GtidSet, GtidError> {
        self.gtid_text.parse()
    }
}

/// Reads the settings.
pub async fn flags(control: &Control) -> Result<Flags, ControlError> {
    let query = "SELECT @@global.read_only, @@global.super_read_only, @@global.offline_mode, \
        @@global.rpl_semi_sync_source_enabled, @@global.rpl_semi_sync_source_wait_for_replica_count, \
        @@global.rpl_semi_sync_source_timeout, @@global.rpl_semi_sync_source_wait_no_replica, \
        @@global.rpl_semi_sync_replica_enabled, @@global.gtid_executed";
    type Answer = (u8, u8, u8, u8, u32, u64, u8, u8, String);
    let r: Answer = control.row(query, QUICK).await?;
    Ok(Flags {
        read_only: r.0 != 0,
        super_read_only: r.1 != 0,
        offline: r.2 != 0,
        source_enabled: r.3 != 0,
        wait_for_replica_count: r.4,
        source_timeout: r.5,
        wait_no_replica: r.6 != 0,
        replica_enabled: r.7 != 0,
        gtid_text: r.8.replace(['\n', '\r'], ""),
    })
}

/// How many replicas acknowledge now.
pub async fn ackers(control: &Control) -> Result<u32, ControlError> {
    let row: (String, String) = control
        .row("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_source_clients'", QUICK)
        .await?;
    Ok(row.1.parse().unwrap_or(0))
}

/// How long the applier may take to stop by itself.
const STOPS_ITSELF: Duration = Duration::from_millis(400);

/// Stops receiver and applier, also where the relay log ends inside a transaction, whose rest the applier's coordinator would wait a
/// minute for: nothing of half a transaction was ever acknowledged, and killing the coordinator rolls it back.
pub async fn stop_replication(control: &Control, limit: Duration) -> Result<(), ControlError> {
    let stop = control.run(&["STOP REPLICA"], limit);
    tokio::pin!(stop);
    if let Ok(done) = tokio::time::timeout(STOPS_ITSELF, &mut stop).await {
        return done;
    }
    let other = control.another();
    let coordinators: Vec<u64> = other
        .rows(
            "SELECT id FROM information_schema.processlist WHERE user='system user' AND state LIKE '%has read all relay log%'",
            QUICK,
        )
        .await?;
    for id in coordinators {
        tracing::warn!(id, "the relay log ends inside a transaction: ending its applier");
        // It may have ended by itself.
        let _ = other.run(&[format!("KILL {id}")], QUICK).await;
    }
    stop.await
}

/// Replication as SHOW REPLICA STATUS tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replication {
    /// Source_Host.
    pub host: String,
    /// Source_Port.
    pub port: u16,
    /// Whether the receiver runs and is connected.
    pub io_running: bool,
    /// Whether the receiver runs; it may be trying to connect.
    pub io_started: bool,
    /// Whether the applier runs.
    pub sql_running: bool,
    /// Last error of the receiver; empty: none.
    pub io_error: String,
    /// Last error of the applier; empty: none.
    pub sql_error: String,
    /// Retrieved_Gtid_Set.
    pub retrieved: String,
    /// Source_UUID; empty before the receiver was connected.
    pub source_uuid: String,
}

/// Reads the state of replication; none when this server has no source.
pub async fn replication(control: &Control) -> Result<Option<Replication>, ControlError> {
    let rows: Vec<Row> = control.rows("SHOW REPLICA STATUS", QUICK).await?;
    Ok(rows.first().map(|row| {
        let text = |name: &str| {
            row.get_opt::<String, _>(name)
                .and_then(Result::ok)
                .unwrap_or_default()
        };
        let io = text("Replica_IO_Running");
        Replication {
            host: text("Source_Host"),
            port: text("Source_Port").parse().unwrap_or(0),
            io_running: io == "Yes",
            io_started: io != "No",
            sql_running: text("Replica_SQL_Running") == "Yes",
            io_error: text("Last_IO_Error"),
            sql_error: text("Last_SQL_Error"),
            retrieved: text("Retrieved_Gtid_Set").replace(['\n', '\r'], ""),
            source_uuid: text("Source_UUID").to_ascii_lowercase(),
        }
    }))
}
