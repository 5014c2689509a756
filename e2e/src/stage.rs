//! A gateway in front of plain servers, whose agents the test itself plays: primaries come and go exactly when it says so.

use std::pin::Pin;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::Stream;
use mysql_async::prelude::Queryable;
use proto::v1::tablet_service_server::{TabletService, TabletServiceServer};
use proto::v1::{
    ApplySchemaRequest, ApplySchemaResponse, GetSchemaRequest, GetStatusRequest, GetStatusResponse,
    HealthUpdate, ReloadSchemaRequest, ReloadSchemaResponse, ReparentRequest, ReparentResponse,
    SchemaSnapshot, StreamHealthRequest, TabletRole, WaitForGtidsRequest, WaitForGtidsResponse,
};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::watch;
use tonic::{Request, Response, Status};
use topology::remote::{RemoteOptions, RemoteStore};
use topology::serve::{ServeOptions, run};
use topology::{TypedStore, records};

use crate::bound::{self, Dir, await_ok};
use crate::plain::{ACCOUNT, DEFINER, Plain};
use crate::tools;

/// SHA256(SHA256(password)) of [`ACCOUNT`].
const VERIFIER: &str = "a479be7780ad9108f945ebbdd1a87cbb7dd2726a7b3c3b8a9b83f7a1a38e612c";

/// A gateway and its topology.
pub struct Stage {
    /// Port of the gateway.
    pub port: u16,
    /// The gateway's process.
    pub gateway: Child,
    http: u16,
    store: TypedStore,
    _dir: Dir,
}

impl Stage {
    /// Starts a gateway with these options; no keyspace is there yet.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start(options: &[&str]) -> Result<Self> {
        let dir = Dir::new()?;
        let (port, http) = (tools::free_port()?, tools::free_port()?);
        let address = topology::Address::Unix(dir.path().join("topology.sock"));
        let serve = ServeOptions {
            file: dir.path().join("topology.json"),
            listen: address.clone(),
            secret_file: None,
        };
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        tokio::spawn(run(
            serve,
            move |_| ready.send(()).unwrap_or(()),
            std::future::pending(),
        ));
        is_ready.await.context("the topology does not start")?;
        let store = TypedStore::new(Arc::new(RemoteStore::new(&address, RemoteOptions::default())?));
        let account = records::Account {
            user: ACCOUNT.0.to_owned(),
            verifier: VERIFIER.parse()?,
            native_verifier: None,
            locked: false,
        };
        store.create(&account).await?;
        let secrets = dir.path().join("secrets.json");
        std::fs::write(&secrets, json!({ "app": ACCOUNT.1 }).to_string())?;
        let log = std::fs::File::create(dir.path().join("vtgate.log"))?;
        let mut gateway = bound::spawn(&tools::program("vtgate")?, |command| {
            command
                .arg(format!("--topology={address}"))
                .arg(format!("--secrets={}", secrets.display()))
                .arg(format!("--mysql-listen=127.0.0.1:{port}"))
                .arg(format!("--http-listen=127.0.0.1:{http}"))
                .args(options)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log);
        })?;
        await_ok(Duration::from_secs(30), || {
            anyhow::ensure!(gateway.try_wait()?.is_none(), "the gateway has ended");
            std::net::TcpStream::connect(("127.0.0.1", port)).context("the gateway does not listen")
        })?;
        Ok(Self {
            port,
            gateway,
            http,
            store,
            _dir: dir,
        })
    }

    /// Adds an unsharded keyspace.
    ///
    /// # Errors
    /// The store's.
    pub async fn keyspace(&self, name: &str) -> Result<()> {
        let record = records::Keyspace {
            name: name.to_owned(),
            database: name.to_owned(),
            shards: vec!["-".to_owned()],
            members: 2,
            vschema: serde_json::Value::Null,
            vschema_version: 1,
            schema: String::new(),
        };
        self.store.create(&record).await?;
        Ok(())
    }

    /// Adds a server to a keyspace's shard; it serves once it says so.
    ///
    /// # Errors
    /// The store's.
    pub async fn member(&self, alias: &str, keyspace: &str, server: &Plain) -> Result<Member> {
        let agent = format!("127.0.0.1:{}", tools::free_port()?);
        let health = watch::Sender::new(HealthUpdate {
            tablet: alias.to_owned(),
            keyspace: keyspace.to_owned(),
            shard: "-".to_owned(),
            ..HealthUpdate::default()
        });
        let service = TabletServiceServer::new(Agent(health.clone()));
        let listen = agent.parse()?;
        tokio::spawn(
            tonic::transport::Server::builder()
                .add_service(service)
                .serve(listen),
        );
        let record = records::Tablet {
            alias: alias.to_owned(),
            keyspace: keyspace.to_owned(),
            shard: "-".to_owned(),
            cell: "local".to_owned(),
            mysql: records::MysqlAddress {
                socket: Some(server.socket().display().to_string()),
                host: "127.0.0.1".to_owned(),
                port: server.port,
            },
            grpc: Some(agent),
            server_uuid: None,
            voter: None,
            incarnation: 1,
        };
        self.store.create(&record).await?;
        Ok(Member(health))
    }

    /// How to connect through the gateway.
    pub fn opts(&self, keyspace: &str) -> mysql_async::Opts {
        mysql_async::OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(self.port)
            .user(Some(ACCOUNT.0))
            .pass(Some(ACCOUNT.1))
            .db_name(Some(keyspace))
            .prefer_socket(false)
            // Known, so that the client library does not ask a shard for them.
            .max_allowed_packet(Some(64 << 20))
            .wait_timeout(Some(28_800))
            .ssl_opts(Some(
                mysql_async::SslOpts::default().with_danger_accept_invalid_certs(true),
            ))
            .into()
    }

    /// The value of one of the gateway's metrics, labels and all.
    ///
    /// # Errors
    /// When there is no such metric.
    pub async fn metric(&self, name: &str) -> Result<u64> {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", self.http)).await?;
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")
            .await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(value.with_context(|| format!("no {name} in\n{text}"))?.parse()?)
    }

    /// Waits until a metric has a value.
    ///
    /// # Errors
    /// When it does not get it within 30 s.
    pub async fn await_metric(&self, name: &str, wanted: u64) -> Result<()> {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        loop {
            let value = self.metric(name).await?;
            if value == wanted {
                return Ok(());
            }
            anyhow::ensure!(
                tokio::time::Instant::now() < deadline,
                "{name} is {value}, not {wanted}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.gateway.kill().ok();
        self.gateway.wait().ok();
    }
}

/// Makes a server one of Vitrail's: the keyspace's database, and the gateway's account without the rights that no fence stops.
///
/// # Errors
/// The server's.
pub async fn furnish(server: &Plain, keyspace: &str, schema: &[&str]) -> Result<()> {
    let mut conn = mysql_async::Conn::new(server.opts(None)).await?;
    conn.query_drop("SET GLOBAL offline_mode=OFF").await?;
    conn.query_drop("SET GLOBAL super_read_only=OFF").await?;
    conn.query_drop("SET GLOBAL read_only=OFF").await?;
    conn.query_drop(format!("DROP DATABASE IF EXISTS {keyspace}"))
        .await?;
    conn.query_drop(format!("CREATE DATABASE {keyspace}")).await?;
    conn.query_drop(format!("REVOKE ALL ON *.* FROM {DEFINER}@localhost"))
        .await?;
    conn.query_drop(format!("GRANT ALL ON {keyspace}.* TO {DEFINER}@localhost"))
        .await?;
    conn.query_drop(format!("USE {keyspace}")).await?;
    for statement in schema {
        conn.query_drop(*statement).await?;
    }
    conn.disconnect().await?;
    Ok(())
}

/// A member of a shard, as its agent tells of it.
pub struct Member(watch::Sender<HealthUpdate>);

impl Member {
    /// The primary of a term.
    pub fn leads(&self, term: u64) {
        self.0.send_modify(|health| {
            health.set_role(TabletRole::Primary);
            (health.term, health.serving, health.draining) = (term, true, false);
        });
    }

    /// The primary still, but not for long.
    pub fn drains(&self) {
        self.0.send_modify(|health| health.draining = true);
    }

    /// A replica that lags so much.
    pub fn follows(&self, term: u64, lag: Duration) {
        self.0.send_modify(|health| {
            health.set_role(TabletRole::Replica);
            (health.term, health.serving, health.draining) = (term, true, false);
            health.replication_lag_ms = u64::try_from(lag.as_millis()).ok();
        });
    }

    /// Serves nobody.
    pub fn rests(&self) {
        self.0.send_modify(|health| health.serving = false);
    }
}

/// The agent's side of a [`Member`].
struct Agent(watch::Sender<HealthUpdate>);

#[tonic::async_trait]
impl TabletService for Agent {
    type StreamHealthStream = Pin<Box<dyn Stream<Item = Result<HealthUpdate, Status>> + Send>>;

    async fn stream_health(
        &self,
        _: Request<StreamHealthRequest>,
    ) -> Result<Response<Self::StreamHealthStream>, Status> {
        let mut follow = self.0.subscribe();
        follow.mark_changed();
        let updates = futures::stream::unfold(follow, async |mut follow| {
            // As agents do: what is unchanged is repeated each second.
            let _ = tokio::time::timeout(Duration::from_secs(1), follow.changed()).await;
            let update = follow.borrow_and_update().clone();
            Some((Ok(update), follow))
        });
        Ok(Response::new(Box::pin(updates)))
    }

    async fn get_schema(&self, _: Request<GetSchemaRequest>) -> Result<Response<SchemaSnapshot>, Status> {
        Err(Status::unimplemented("not on this stage"))
    }

    async fn reload_schema(
        &self,
        _: Request<ReloadSchemaRequest>,
    ) -> Result<Response<ReloadSchemaResponse>, Status> {
        Err(Status::unimplemented("not on this stage"))
    }

    async fn apply_schema(
        &self,
        _: Request<ApplySchemaRequest>,
    ) -> Result<Response<ApplySchemaResponse>, Status> {
        Err(Status::unimplemented("not on this stage"))
    }

    async fn get_status(&self, _: Request<GetStatusRequest>) -> Result<Response<GetStatusResponse>, Status> {
        Err(Status::unimplemented("not on this stage"))
    }

    async fn reparent(&self, _: Request<ReparentRequest>) -> Result<Response<ReparentResponse>, Status> {
        Err(Status::unimplemented("not on this stage"))
    }

    async fn wait_for_gtids(
        &self,
        _: Request<WaitForGtidsRequest>,
    ) -> Result<Response<WaitForGtidsResponse>, Status> {
        Err(Status::unimplemented("not on this stage"))
    }
}
