//! `vitrail reparent`.

use std::io::Write;

use anyhow::{Context, Result, bail};
use proto::v1::{ReparentRequest, ReparentResponse};
use topology::records::ShardRecord;
use topology::{TypedStore, keys};

use crate::args::ReparentArgs;
use crate::{agents, local};

/// Has the shard's primary hand over, and says who leads now.
pub(crate) async fn reparent(args: &ReparentArgs) -> Result<()> {
    let store = local::connect(&args.dir.dir)?;
    let (keyspace, shard) = parse(&args.shard)?;
    let record = find(&store, keyspace, shard).await?;
    let holder = record
        .primary()
        .with_context(|| format!("shard {keyspace}/{shard} has no primary yet"))?;
    let done = hand_over(&store, holder, args.to.clone()).await?;
    let line = format!(
        "{keyspace}/{shard}: {} leads term {}, after {holder}; writes waited for {} ms",
        done.primary, done.term, done.outage_ms
    );
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// Has a primary hand over to the named member, or to the one that is best fit.
pub(crate) async fn hand_over(
    store: &TypedStore,
    holder: &str,
    to: Option<String>,
) -> Result<ReparentResponse> {
    let mut agent = agents::client(store, holder).await?;
    match agent.reparent(ReparentRequest { to }).await {
        Ok(answer) => Ok(answer.into_inner()),
        Err(status) if status.code() == tonic::Code::FailedPrecondition => {
            bail!("{}; nothing was changed", status.message())
        }
        Err(status) => bail!("{}", status.message()),
    }
}

/// Keyspace and shard of what the user typed.
pub(crate) fn parse(text: &str) -> Result<(&str, &str)> {
    match text.split_once('/') {
        Some((keyspace, shard)) if !keyspace.is_empty() && !shard.is_empty() => {
            Ok((keyspace, if shard == "0" { "-" } else { shard }))
        }
        _ => bail!("\"{text}\" is no shard: expected KEYSPACE/SHARD, such as customer/-80"),
    }
}

async fn find(store: &TypedStore, keyspace: &str, shard: &str) -> Result<ShardRecord> {
    let found = store
        .get::<ShardRecord>(&keys::shard(keyspace, shard))
        .await
        .context("cannot read the topology")?;
    if let Some(found) = found {
        return Ok(found.record);
    }
    let all = store
        .list::<ShardRecord>()
        .await
        .context("cannot read the topology")?;
    let names: Vec<String> = all
        .into_iter()
        .map(|r| format!("{}/{}", r.record.keyspace, r.record.shard))
        .collect();
    bail!(
        "there is no shard {keyspace}/{shard}; there are {}",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_named_with_their_keyspace() {
        assert_eq!(parse("customer/-80").unwrap(), ("customer", "-80"));
        assert_eq!(parse("commerce/0").unwrap(), ("commerce", "-"));
        for bad in ["customer", "/-80", "customer/", ""] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
