//! The shard's other members, by their agents.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use proto::v1::tablet_service_client::TabletServiceClient;
use proto::v1::{GetStatusRequest, HealthUpdate, WaitForGtidsRequest};
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};
use topology::records::{MysqlAddress, Tablet};
use topology::{Address, Mirror, keys};

/// How long a member may take to tell how it is.
const LOOK: Duration = Duration::from_millis(800);

/// Where they are. Clones share it.
#[derive(Debug, Clone)]
pub struct Members {
    tablets: Arc<Mirror<Tablet>>,
}

impl Members {
    /// The members that register in the topology.
    pub fn new(tablets: Mirror<Tablet>) -> Members {
        Members {
            tablets: Arc::new(tablets),
        }
    }

    /// Where a member's mysqld is; none before it was started.
    pub fn mysql(&self, alias: &str) -> Option<MysqlAddress> {
        self.tablet(alias)
            .map(|t| t.mysql)
            .filter(|mysql| mysql.port != 0)
    }

    /// What a member's agent says of it.
    ///
    /// # Errors
    /// When it does not answer in time.
    pub async fn health(&self, alias: &str) -> anyhow::Result<HealthUpdate> {
        let mut client = self.client(alias).await?;
        let status = timeout(LOOK, client.get_status(GetStatusRequest {}))
            .await
            .context("its agent does not answer")??;
        status.into_inner().health.context("its agent says nothing")
    }

    /// Waits until a member has executed a GTID set.
    ///
    /// # Errors
    /// When it has not within that time, or does not answer.
    pub async fn wait_for(&self, alias: &str, gtids: &str, within: Duration) -> anyhow::Result<()> {
        let request = WaitForGtidsRequest {
            gtids: gtids.to_owned(),
            timeout_ms: u64::try_from(within.as_millis()).unwrap_or(u64::MAX),
        };
        let mut client = self.client(alias).await?;
        let answer = timeout(within + LOOK, client.wait_for_gtids(request))
            .await
            .with_context(|| format!("{alias} does not answer"))??;
        anyhow::ensure!(
            answer.into_inner().executed,
            "{alias} did not apply everything within {} ms",
            within.as_millis()
        );
        Ok(())
    }

    /// A member's agent.
    ///
    /// # Errors
    /// When it cannot be reached in time.
    pub async fn client(&self, alias: &str) -> anyhow::Result<TabletServiceClient<Channel>> {
        let address = self
            .tablet(alias)
            .and_then(|t| t.grpc)
            .context("it is not registered")?;
        let address: Address = address.parse()?;
        let endpoint = Endpoint::from_shared(address.uri())?
            .connect_timeout(LOOK)
            .tcp_nodelay(true);
        let channel = timeout(LOOK, endpoint.connect())
            .await
            .context("its agent does not answer")?
            .context("its agent does not answer")?;
        Ok(TabletServiceClient::new(channel).max_decoding_message_size(proto::MESSAGE_BYTES_MAX))
    }

    fn tablet(&self, alias: &str) -> Option<Tablet> {
        self.tablets
            .with(|all| all.get(&keys::tablet(alias)).map(|t| t.record.clone()))
    }
}
