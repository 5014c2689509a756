//! `vitrail reparent`.

use std::io::Write;

use anyhow::{Context, Result, bail};
use proto::v1::ReparentRequest;
use proto::v1::tablet_service_client::TabletServiceClient;
use topology::records::{ShardRecord, Tablet};
use topology::{Address, TypedStore, keys};

use crate::args::ReparentArgs;
use crate::local;

/// Has the shard's primary hand over, and says who leads now.
pub(crate) async fn reparent(args: &ReparentArgs) -> Result<()> {
    let store = local::connect(&args.dir.dir)?;
    let (keyspace, shard) = parse(&args.shard)?;
    let record = find(&store, keyspace, shard).await?;
    let holder = record
        .primary()
        .with_context(|| format!("shard {keyspace}/{shard} has no primary yet"))?;
    let tablet = store.require::<Tablet>(&keys::tablet(holder)).await?.record;
    let address: Address = tablet
        .grpc
        .with_context(|| format!("{holder} has not started yet"))?
        .parse()?;
    let channel = tonic::transport::Endpoint::from_shared(address.uri())?
        .connect()
        .await
        .with_context(|| format!("the agent of {holder}, the shard's primary, does not answer"))?;
    let request = ReparentRequest { to: args.to.clone() };
    match TabletServiceClient::new(channel).reparent(request).await {
        Ok(answer) => {
            let answer = answer.into_inner();
            let line = format!(
                "{keyspace}/{shard}: {} leads term {}, after {holder}; writes waited for {} ms",
                answer.primary, answer.term, answer.outage_ms
            );
            Ok(writeln!(std::io::stdout(), "{line}")?)
        }
        Err(status) if status.code() == tonic::Code::FailedPrecondition => {
            bail!("{}; nothing was changed", status.message())
        }
        Err(status) => bail!("{}", status.message()),
    }
}

/// Keyspace and shard of what the user typed.
fn parse(text: &str) -> Result<(&str, &str)> {
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
