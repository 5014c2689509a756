//! The end of a statement that wrote on several shards: committed on one after another, or undone on all.

use futures::future::join_all;
use mysql_wire::{Error, SqlError};

use super::lease::Lease;
use crate::error;

/// Undoes what was executed; a connection that fails here is closed, which undoes it as well.
pub(super) async fn roll_back(lease: &mut Lease) {
    let conn = &mut lease.branch.conn;
    if conn.is_clean() && conn.query(b"ROLLBACK").await.is_err() {
        conn.begin_exchange();
    }
}

/// Why a statement on several shards is not committed on all of them.
pub(super) enum Uncommitted {
    /// The first shard refused, or its connection was lost before it was asked: nothing is committed anywhere.
    All(SqlError),
    /// The error says where it is.
    Some(SqlError),
}

/// Commits one after another. An error before the first commit undoes all; after it the error says what is committed.
pub(super) async fn commit_in_order(leases: &mut [Lease]) -> Result<(), Uncommitted> {
    let mut committed: Vec<String> = Vec::new();
    for at in 0..leases.len() {
        let Some(lease) = leases.get_mut(at) else { continue };
        let shard = lease.branch.conn.target.shard.to_string();
        let conn = &mut lease.branch.conn;
        let asked = conn.is_quiet();
        let outcome = match asked {
            true => conn.query(b"COMMIT").await.map(|_| ()),
            false => Err(Error::Closed),
        };
        let Err(error) = outcome else {
            committed.push(shard);
            continue;
        };
        let refused = match &error {
            Error::Sql(wrong) => error::is_refusal(wrong) || !error::is_gone(wrong),
            _ => !asked,
        };
        let cause = conn.lost(error);
        conn.begin_exchange();
        join_all(leases.iter_mut().skip(at + 1).map(roll_back)).await;
        if committed.is_empty() && refused {
            return Err(Uncommitted::All(cause));
        }
        let outcome = if refused {
            "failed"
        } else {
            "has an unknown outcome"
        };
        return Err(Uncommitted::Some(SqlError {
            state: *b"08007",
            ..SqlError::with_code(
                1180,
                format!(
                    "Got error during COMMIT: shard {shard} {outcome} ({}); committed on: {}; rolled back on all others",
                    String::from_utf8_lossy(&cause.message),
                    if committed.is_empty() {
                        "none".to_owned()
                    } else {
                        committed.join(", ")
                    },
                ),
            )
        }));
    }
    Ok(())
}
