//! What the tablets of a cluster say about themselves.

use std::time::Duration;

use futures::future::join_all;
use proto::v1::tablet_service_client::TabletServiceClient;
use proto::v1::{GetStatusRequest, GetStatusResponse, TabletRole};
use serde::Serialize;
use tonic::transport::Endpoint;
use topology::records::{Keyspace, Tablet};
use topology::typed::TypedError;
use topology::{Address, TypedStore};
use vschema::KeyRange;

/// An agent that does not answer within this time is shown as down.
const CALL_TIMEOUT: Duration = Duration::from_secs(2);

/// A tablet as users see it; the names are those of `status -o json`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TabletStatus {
    pub(crate) name: String,
    pub(crate) role: &'static str,
    /// `Serving`, `NotServing` or `Down`.
    pub(crate) state: &'static str,
    pub(crate) reason: String,
    pub(crate) term: u64,
    /// How far a replica is behind, in milliseconds.
    pub(crate) lag_ms: Option<u64>,
    pub(crate) gtid_executed: String,
    /// Acknowledgements that each commit of a primary waits for; None on a replica or without semi-sync.
    pub(crate) acks_required: Option<u32>,
    pub(crate) mysql_version: String,
    pub(crate) mysql_address: String,
    pub(crate) mysql_socket: String,
    pub(crate) agent_pid: Option<u32>,
    pub(crate) mysqld_pid: Option<u32>,
    pub(crate) mysqld_starts: u32,
}

impl TabletStatus {
    pub(crate) fn is_serving_primary(&self) -> bool {
        self.role == "primary" && self.state == "Serving"
    }
}

/// A shard with its tablets.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShardStatus {
    pub(crate) name: String,
    /// `on`, `no semi-sync`, or why it is not known.
    pub(crate) semi_sync: String,
    pub(crate) tablets: Vec<TabletStatus>,
}

impl ShardStatus {
    pub(crate) fn serving_primary(&self) -> Option<&TabletStatus> {
        self.tablets.iter().find(|tablet| tablet.is_serving_primary())
    }
}

/// A keyspace with its shards.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyspaceStatus {
    pub(crate) name: String,
    pub(crate) sharded: bool,
    pub(crate) members: u32,
    pub(crate) shards: Vec<ShardStatus>,
}

/// Names of a shard's tablets: its DNS name and a serial number.
pub(crate) fn tablet_names(keyspace: &Keyspace, shard: &str) -> Vec<String> {
    let shard = match shard.parse::<KeyRange>() {
        Ok(range) => range.object_name(&keyspace.name),
        Err(_) => format!("{}-{shard}", keyspace.name),
    };
    (1..=keyspace.members)
        .map(|serial| format!("{shard}-{serial}"))
        .collect()
}

/// Reads the keyspaces and asks every tablet for its status, all at once.
///
/// # Errors
/// When the topology cannot be read. A tablet that does not answer is shown as down.
pub(crate) async fn read(store: &TypedStore) -> Result<Vec<KeyspaceStatus>, TypedError> {
    let keyspaces = store.list::<Keyspace>().await?;
    let tablets: Vec<Tablet> = store
        .list::<Tablet>()
        .await?
        .into_iter()
        .map(|found| found.record)
        .collect();
    let asked = keyspaces
        .into_iter()
        .map(|keyspace| keyspace_status(keyspace.record, &tablets));
    Ok(join_all(asked).await)
}

async fn keyspace_status(keyspace: Keyspace, known: &[Tablet]) -> KeyspaceStatus {
    let shards = join_all(keyspace.shards.iter().map(|shard| async {
        let names = tablet_names(&keyspace, shard);
        let record = |name: &String| known.iter().find(|tablet| &tablet.alias == name);
        let tablets = join_all(names.iter().map(|name| ask(name, record(name)))).await;
        ShardStatus {
            name: shard.clone(),
            semi_sync: semi_sync(keyspace.members, &tablets),
            tablets,
        }
    }))
    .await;
    let sharded = keyspace.is_sharded();
    KeyspaceStatus {
        name: keyspace.name,
        sharded,
        members: keyspace.members,
        shards,
    }
}

/// Whether a commit is on more than one server, in words.
fn semi_sync(members: u32, tablets: &[TabletStatus]) -> String {
    if members == 1 {
        return "no semi-sync (1 member)".to_owned();
    }
    match tablets.iter().find(|tablet| tablet.role == "primary") {
        Some(TabletStatus {
            acks_required: Some(acks),
            ..
        }) => format!("on ({acks} of {} must acknowledge)", members - 1),
        Some(_) => "off".to_owned(),
        None => "unknown (no primary)".to_owned(),
    }
}

async fn ask(name: &str, record: Option<&Tablet>) -> TabletStatus {
    let mut status = TabletStatus {
        name: name.to_owned(),
        role: "unknown",
        state: "Down",
        reason: String::new(),
        term: 0,
        lag_ms: None,
        gtid_executed: String::new(),
        acks_required: None,
        mysql_version: String::new(),
        mysql_address: record
            .map(|tablet| format!("{}:{}", tablet.mysql.host, tablet.mysql.port))
            .unwrap_or_default(),
        mysql_socket: record
            .and_then(|tablet| tablet.mysql.socket.clone())
            .unwrap_or_default(),
        agent_pid: None,
        mysqld_pid: None,
        mysqld_starts: 0,
    };
    let Some(address) = record.and_then(|tablet| tablet.grpc.as_deref()) else {
        status.reason = "the agent has not registered yet".to_owned();
        return status;
    };
    match call(address).await {
        Ok(answer) => fill(&mut status, answer),
        Err(why) => status.reason = why,
    }
    status
}

async fn call(address: &str) -> Result<GetStatusResponse, String> {
    let address: Address = address.parse().map_err(|error| format!("{error}"))?;
    let endpoint = Endpoint::from_shared(address.uri()).map_err(|error| error.to_string())?;
    let asked = async {
        let channel = endpoint
            .connect()
            .await
            .map_err(|_| "the agent does not answer".to_owned())?;
        let mut client =
            TabletServiceClient::new(channel).max_decoding_message_size(proto::MESSAGE_BYTES_MAX);
        let answer = client.get_status(GetStatusRequest {}).await;
        answer
            .map(tonic::Response::into_inner)
            .map_err(|status| status.message().to_owned())
    };
    match tokio::time::timeout(CALL_TIMEOUT, asked).await {
        Ok(answer) => answer,
        Err(_) => Err(format!(
            "the agent did not answer within {} s",
            CALL_TIMEOUT.as_secs()
        )),
    }
}

fn fill(status: &mut TabletStatus, answer: GetStatusResponse) {
    status.agent_pid = Some(answer.agent_pid);
    status.mysqld_pid = answer.mysqld_pid;
    status.mysqld_starts = answer.mysqld_starts;
    let Some(health) = answer.health else {
        status.reason = "the agent knows nothing about its mysqld yet".to_owned();
        return;
    };
    status.role = match health.role() {
        TabletRole::Primary => "primary",
        TabletRole::Replica => "replica",
        TabletRole::Unknown => "unknown",
    };
    status.state = if health.serving { "Serving" } else { "NotServing" };
    status.reason = health.not_serving_reason;
    status.term = health.term;
    status.lag_ms = health.replication_lag_ms;
    status.gtid_executed = health.gtid_executed;
    status.mysql_version = health.mysql_version;
    status.acks_required = health
        .semi_sync
        .filter(|semi_sync| semi_sync.enabled && status.role == "primary")
        .map(|semi_sync| semi_sync.acks_required);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyspace(name: &str, shards: &[&str]) -> Keyspace {
        Keyspace {
            name: name.to_owned(),
            database: name.to_owned(),
            shards: shards.iter().map(|shard| (*shard).to_owned()).collect(),
            members: 2,
            vschema: serde_json::Value::Null,
            vschema_version: 1,
            schema: String::new(),
        }
    }

    #[test]
    fn tablets_are_named_after_their_shard() {
        assert_eq!(
            tablet_names(&keyspace("customer", &["-80"]), "-80"),
            ["customer-x-80-1", "customer-x-80-2"]
        );
        assert_eq!(
            tablet_names(&keyspace("customer", &["80-"]), "80-"),
            ["customer-80-x-1", "customer-80-x-2"]
        );
    }

    #[tokio::test]
    async fn a_tablet_that_does_not_answer_is_shown() {
        let record = Tablet {
            alias: "c-x-1".into(),
            keyspace: "c".into(),
            shard: "-".into(),
            cell: "local".into(),
            mysql: topology::records::MysqlAddress {
                socket: None,
                host: "127.0.0.1".into(),
                port: 1,
            },
            grpc: Some("unix:/nonexistent/agent.sock".into()),
            server_uuid: None,
            voter: None,
            incarnation: 1,
        };
        let status = ask("c-x-1", Some(&record)).await;
        assert_eq!(
            (status.state, status.reason.as_str()),
            ("Down", "the agent does not answer")
        );
        assert_eq!(
            ask("c-x-2", None).await.reason,
            "the agent has not registered yet"
        );
        assert_eq!(semi_sync(1, &[]), "no semi-sync (1 member)");
        assert_eq!(semi_sync(3, &[status]), "unknown (no primary)");
    }
}
