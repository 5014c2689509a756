//! Clients of the tablets' agents.

use anyhow::{Context, Result};
use proto::v1::tablet_service_client::TabletServiceClient;
use tonic::transport::{Channel, Endpoint};
use topology::records::Tablet;
use topology::{Address, TypedStore, keys};

/// The agent of a tablet.
pub(crate) async fn client(store: &TypedStore, alias: &str) -> Result<TabletServiceClient<Channel>> {
    let tablet = store.require::<Tablet>(&keys::tablet(alias)).await?.record;
    let address: Address = tablet
        .grpc
        .with_context(|| format!("{alias} has not started yet"))?
        .parse()?;
    let channel = Endpoint::from_shared(address.uri())?
        .connect()
        .await
        .with_context(|| format!("the agent of {alias} does not answer"))?;
    Ok(TabletServiceClient::new(channel))
}
