//! Messages to the other members: each sent once, in a task of its own, and forgotten when it does not arrive in time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use proto::v1::LeadershipMessage;
use proto::v1::leadership_service_client::LeadershipServiceClient;
use tokio::sync::Semaphore;
use tonic::transport::{Channel, Endpoint};
use topology::records::{ShardRecord, Tablet};
use topology::{Address, Mirror, keys};

/// How long a message may take.
const TRY: Duration = Duration::from_millis(400);
/// Messages to one member that may be under way: one that does not answer costs no more.
const UNDER_WAY: usize = 32;

/// The other members.
#[derive(Debug)]
pub(super) struct Peers {
    tablets: Mirror<Tablet>,
    known: HashMap<String, Peer>,
}

#[derive(Debug)]
struct Peer {
    address: String,
    client: LeadershipServiceClient<Channel>,
    room: Arc<Semaphore>,
}

impl Peers {
    pub(super) fn new(tablets: Mirror<Tablet>) -> Peers {
        Peers {
            tablets,
            known: HashMap::new(),
        }
    }

    /// Sends a message, if it is known where its receiver is.
    pub(super) fn send(&mut self, message: LeadershipMessage) {
        let Some(peer) = self.peer(&message.to) else {
            tracing::debug!(to = message.to, "no address");
            return;
        };
        let Ok(room) = peer.room.clone().try_acquire_owned() else {
            return;
        };
        let mut client = peer.client.clone();
        tokio::spawn(async move {
            let to = message.to.clone();
            match tokio::time::timeout(TRY, client.deliver(message)).await {
                Ok(Ok(_)) => {}
                Ok(Err(status)) => tracing::debug!(to, %status, "a message did not arrive"),
                Err(_) => tracing::debug!(to, "a message did not arrive in time"),
            }
            drop(room);
        });
    }

    fn peer(&mut self, voter: &str) -> Option<&Peer> {
        let alias = ShardRecord::alias_of(voter);
        let registered = self
            .tablets
            .with(|all| all.get(&keys::tablet(alias)).and_then(|t| t.record.grpc.clone()));
        // What was known last serves while the store is away.
        let moved =
            registered.filter(|address| self.known.get(alias).is_none_or(|peer| peer.address != *address));
        if let Some(address) = moved {
            match connect(&address) {
                Ok(peer) => {
                    self.known.insert(alias.to_owned(), peer);
                }
                Err(error) => tracing::warn!(alias, "{error:#}"),
            }
        }
        self.known.get(alias)
    }
}

/// A channel that connects when it is first used, and again whenever it has to.
fn connect(address: &str) -> anyhow::Result<Peer> {
    let parsed: Address = address.parse()?;
    let channel = Endpoint::from_shared(parsed.uri())?
        .connect_timeout(TRY)
        .tcp_nodelay(true)
        .connect_lazy();
    Ok(Peer {
        address: address.to_owned(),
        client: LeadershipServiceClient::new(channel),
        room: Arc::new(Semaphore::new(UNDER_WAY)),
    })
}
