//! The table that is written to, and what is in it.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use serde::{Deserialize, Serialize};

use super::check::Row;
use super::site::{KEYSPACE, Site};

/// How long a statement of ours may take while the shard is healthy.
const PATIENCE: Duration = Duration::from_secs(30);

/// Notes where a row is written. It runs with the rights of the agent's account, since gateways may not read our own tables.
const TRIGGER: &str = "CREATE DEFINER = 'vitrail_agent'@'localhost' TRIGGER origin BEFORE INSERT ON t FOR EACH ROW \
    SET NEW.server = @@server_id, NEW.term = (SELECT MAX(term) FROM _vitrail.term)";

/// All rows in short, to see that nothing has changed in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Their number.
    pub rows: u64,
    /// The sum of their values.
    pub sum: u64,
    /// Of their other columns.
    pub crc: u64,
}

/// Adds the trigger to a new cluster.
///
/// # Errors
/// When the primary does not take it.
pub async fn prepare(site: &Site, primary: &str) -> Result<()> {
    let mut admin = site.admin(primary).await?;
    let count: Option<u64> = admin
        .query_first("SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_name = 'origin'")
        .await?;
    if count == Some(0) {
        admin.query_drop(format!("USE {KEYSPACE}")).await?;
        admin.query_drop(TRIGGER).await?;
    }
    Ok(admin.disconnect().await?)
}

/// Waits until no client's statement is under way on a server: what was not answered comes to its end there.
///
/// # Errors
/// When one still runs after half a minute.
pub async fn quiet(admin: &mut Conn) -> Result<()> {
    let busy = "SELECT GROUP_CONCAT(COALESCE(info, command)) FROM information_schema.processlist \
                WHERE user = 'vitrail_app' AND command <> 'Sleep'";
    let until = tokio::time::Instant::now() + PATIENCE;
    while let Some(statements) = admin.query_first::<Option<String>, _>(busy).await?.flatten() {
        ensure!(tokio::time::Instant::now() < until, "still running: {statements}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// The rows with values from `first` on.
///
/// # Errors
/// When they cannot be read.
pub async fn rows(admin: &mut Conn, first: u64) -> Result<Vec<Row>> {
    let query = format!("SELECT value, server, term FROM {KEYSPACE}.t WHERE value >= {first}");
    Ok(admin
        .query_map(query, |(value, server, term)| Row { value, server, term })
        .await?)
}

/// The digest of the rows with values below `end`.
///
/// # Errors
/// When they cannot be read.
pub async fn digest(admin: &mut Conn, end: u64) -> Result<Digest> {
    let query = format!(
        "SELECT COUNT(*), CAST(COALESCE(SUM(value), 0) AS UNSIGNED), \
         BIT_XOR(CRC32(CONCAT_WS(',', id, value, writer, server, term))) FROM {KEYSPACE}.t WHERE value < {end}"
    );
    let found: Option<(u64, u64, u64)> = admin.query_first(query).await?;
    let (rows, sum, crc) = found.context("no digest")?;
    Ok(Digest { rows, sum, crc })
}

/// Removes rows that nobody can tell anything about: the round that wrote them was cut off.
///
/// # Errors
/// When the primary does not take it.
pub async fn forget(admin: &mut Conn, first: u64) -> Result<()> {
    Ok(admin
        .query_drop(format!("DELETE FROM {KEYSPACE}.t WHERE value >= {first}"))
        .await?)
}

/// Ends transactions that were prepared and left alone; nobody will ever ask for them.
///
/// # Errors
/// When the primary does not take it.
pub async fn end_prepared(admin: &mut Conn) -> Result<()> {
    let prepared: Vec<(u64, usize, usize, Vec<u8>)> = admin.query("XA RECOVER").await?;
    for (_, _, _, id) in prepared {
        let id = hex::encode(id);
        admin.query_drop(format!("XA ROLLBACK X'{id}'")).await?;
    }
    Ok(())
}

/// Whether all members have the same rows, tables and accounts, once they have executed what the primary has.
///
/// # Errors
/// With what differs.
pub async fn same_everywhere(site: &Site, primary: &str) -> Result<()> {
    let mut admin = site.admin(primary).await?;
    let executed: String = admin
        .query_first("SELECT @@GLOBAL.gtid_executed")
        .await?
        .context("no GTID set")?;
    let expected = content(&mut admin).await?;
    for member in site.members.iter().filter(|member| *member != primary) {
        let mut admin = site.admin(member).await?;
        let wait = format!(
            "SELECT WAIT_FOR_EXECUTED_GTID_SET('{}', {})",
            executed.replace('\n', ""),
            PATIENCE.as_secs()
        );
        let late: Option<u8> = admin.query_first(wait).await?;
        ensure!(late == Some(0), "{member} has not executed {executed}");
        let found = content(&mut admin).await?;
        if found != expected {
            bail!("{member} has {found:?}, the primary {primary} has {expected:?}");
        }
    }
    Ok(())
}

async fn content(admin: &mut Conn) -> Result<(Digest, Vec<String>)> {
    let names = format!(
        "SELECT CONCAT(table_name, '.', column_name) AS name FROM information_schema.columns \
         WHERE table_schema = '{KEYSPACE}' UNION ALL SELECT CONCAT(user, '@', host) FROM mysql.user ORDER BY name"
    );
    Ok((digest(admin, u64::MAX).await?, admin.query(names).await?))
}
