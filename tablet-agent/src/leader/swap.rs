//! Compare-and-swap of the shard's record.

use std::time::Duration;

use leadership::{Record, Swapped};
use topology::records::ShardRecord;
use topology::{TypedStore, keys};

use super::{record_of, with_record};
use crate::shard::decide::believable;

/// How long it may take before its outcome is called unknown.
const WITHIN: Duration = Duration::from_millis(1400);

/// Replaces `from` by `to` in the store that `seen` is from.
pub(super) async fn swap(store: TypedStore, seen: ShardRecord, from: Record, to: Record) -> Swapped {
    match tokio::time::timeout(WITHIN, tries(&store, &seen, &from, &to)).await {
        Ok(outcome) => outcome,
        Err(_) => Swapped::Unknown,
    }
}

async fn tries(store: &TypedStore, seen: &ShardRecord, from: &Record, to: &Record) -> Swapped {
    loop {
        let read = match store
            .get::<ShardRecord>(&keys::shard(&seen.keyspace, &seen.shard))
            .await
        {
            Ok(Some(read)) => read,
            Ok(None) => return Swapped::Unknown,
            Err(error) => {
                tracing::debug!(%error, "cannot read the shard's record");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if let Err(why) = believable(seen, &read.record) {
            tracing::warn!("{why}");
            return Swapped::Unknown;
        }
        let found = record_of(&read.record);
        // A try that seemed to fail may have been executed.
        if found == *to {
            return Swapped::Won;
        }
        if found != *from {
            return Swapped::Lost(found);
        }
        match store.replace(&read, &with_record(&read.record, to)).await {
            Ok(_) => return Swapped::Won,
            Err(error) => tracing::debug!(%error, "cannot swap the shard's record"),
        }
    }
}
