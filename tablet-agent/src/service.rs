//! The agent's gRPC service: health and schema for gateways and tools. It serves a unix socket that only our own user can open.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use binlog::gtid::{GtidError, GtidSet};
use futures::Stream;
use proto::details::statement_error;
use proto::v1::leadership_service_server::LeadershipServiceServer;
use proto::v1::tablet_service_server::{TabletService, TabletServiceServer};
use proto::v1::{
    ApplySchemaRequest, ApplySchemaResponse, GetSchemaRequest, GetStatusRequest, GetStatusResponse,
    HealthUpdate, ReloadSchemaRequest, ReloadSchemaResponse, ReparentRequest, ReparentResponse,
    RestartRequest, RestartResponse, SchemaSnapshot, StatementError, StreamHealthRequest, TabletRole,
    WaitForGtidsRequest, WaitForGtidsResponse,
};
use tonic::{Request, Response, Status};

use crate::control::{Control, ControlError};
use crate::handover::{Handover, Refusal};
use crate::health::{Board, Health};
use crate::leader::Leader;
use crate::restart::{RestartError, Restarts};
use crate::schema::{Handle, SchemaError};
use crate::sql_text::{identifier, literal};

/// A health stream is never silent for longer.
const INTERVAL: Duration = Duration::from_secs(1);
/// Streams are not woken more often than this, however fast things change: a busy gateway's GTID set changes with each look.
const PAUSE: Duration = Duration::from_millis(20);
/// Longest wait for transactions.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// DDL takes as long as it takes.
const UNLIMITED: Duration = Duration::from_secs(365 * 24 * 3600);

/// What the service answers from.
#[derive(Debug, Clone)]
pub struct Service {
    /// The tablet's health.
    pub board: Board,
    /// Its table definitions.
    pub schema: Handle,
    /// Connection of the gateway's account, so that what DDL creates belongs to it.
    pub ddl: Arc<Control>,
    /// This member's part in the shard's leadership.
    pub leader: Leader,
    /// Hands the primary over.
    pub handover: Handover,
    /// Restarts mysqld.
    pub restarts: Restarts,
    /// For looks that wait.
    pub control: Arc<Control>,
}

/// Serves on the socket until the runtime ends.
pub async fn serve(address: &topology::Address, service: Service) -> anyhow::Result<()> {
    let topology::Address::Unix(path) = address else {
        anyhow::bail!("the agent serves unix sockets only, not {address}");
    };
    // Bound under another name first: nobody can connect before the mode is set.
    let unnamed = path.with_extension("new");
    let _ = std::fs::remove_file(&unnamed);
    let listener = tokio::net::UnixListener::bind(&unnamed)?;
    std::fs::set_permissions(&unnamed, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    std::fs::rename(&unnamed, path)?;
    let server = tonic::transport::Server::builder()
        .add_service(LeadershipServiceServer::new(service.leader.clone()))
        .add_service(TabletServiceServer::new(service).max_encoding_message_size(proto::MESSAGE_BYTES_MAX))
        .serve_with_incoming(tokio_stream::wrappers::UnixListenerStream::new(listener));
    tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(%error, "the agent's service ended");
        }
    });
    Ok(())
}

impl Service {
    fn known(&self) -> (u64, u64) {
        let schema = self.schema.current();
        (
            self.board.identity().incarnation,
            schema.map_or(0, |s| s.revision),
        )
    }

    async fn apply(&self, request: ApplySchemaRequest) -> Result<(), Status> {
        let health = self.board.get();
        if health.role != TabletRole::Primary || request.term.is_some_and(|term| term != health.term) {
            return Err(Status::failed_precondition(format!(
                "this tablet is {:?} of term {}",
                health.role, health.term
            )));
        }
        let database = self
            .schema
            .database()
            .ok_or_else(|| unavailable(SchemaError::NoDatabase))?;
        let select = [format!("USE {}", identifier(&database))];
        // A connection from before the gate was closed and opened is dead, and says so at its first use.
        if let Err(ControlError::Broken(_)) = self.ddl.run(&select, UNLIMITED).await {
            self.ddl.run(&select, UNLIMITED).await.map_err(internal)?;
        }
        for (index, statement) in request.statements.iter().enumerate() {
            self.ddl
                .run(&[statement], UNLIMITED)
                .await
                .map_err(|error| refused(index, error))?;
        }
        Ok(())
    }
}

#[tonic::async_trait]
impl TabletService for Service {
    type StreamHealthStream = Pin<Box<dyn Stream<Item = Result<HealthUpdate, Status>> + Send>>;

    async fn stream_health(
        &self,
        request: Request<StreamHealthRequest>,
    ) -> Result<Response<Self::StreamHealthStream>, Status> {
        let request = request.into_inner();
        let begin = Following {
            board: self.board.clone(),
            changes: self.board.follow(),
            known: (request.known_incarnation, request.known_schema_revision),
            first: true,
        };
        let stream = futures::stream::unfold(begin, |mut following| async move {
            let update = following.next().await;
            Some((Ok(update), following))
        });
        Ok(Response::new(Box::pin(stream)))
    }

    async fn get_schema(&self, _: Request<GetSchemaRequest>) -> Result<Response<SchemaSnapshot>, Status> {
        let schema = self
            .schema
            .current()
            .ok_or_else(|| unavailable(SchemaError::NoDatabase))?;
        Ok(Response::new(SchemaSnapshot::clone(&schema)))
    }

    async fn reload_schema(
        &self,
        request: Request<ReloadSchemaRequest>,
    ) -> Result<Response<ReloadSchemaResponse>, Status> {
        let request = request.into_inner();
        self.schema.reload().await.map_err(unavailable)?;
        let (incarnation, schema_revision) = self.known();
        let known =
            (request.known_incarnation, request.known_schema_revision) == (incarnation, schema_revision);
        let schema = if known {
            None
        } else {
            self.schema.current().map(|s| SchemaSnapshot::clone(&s))
        };
        Ok(Response::new(ReloadSchemaResponse {
            incarnation,
            schema_revision,
            schema,
        }))
    }

    async fn apply_schema(
        &self,
        request: Request<ApplySchemaRequest>,
    ) -> Result<Response<ApplySchemaResponse>, Status> {
        let result = self.apply(request.into_inner()).await;
        // What was done before a failure counts as well.
        let reloaded = self.schema.reload().await;
        result?;
        reloaded.map_err(unavailable)?;
        let (incarnation, schema_revision) = self.known();
        Ok(Response::new(ApplySchemaResponse {
            incarnation,
            schema_revision,
        }))
    }

    async fn reparent(
        &self,
        request: Request<ReparentRequest>,
    ) -> Result<Response<ReparentResponse>, Status> {
        let to = request.into_inner().to;
        let handover = self.handover.clone();
        // It goes on when the caller hangs up.
        let run = tokio::spawn(async move { handover.run(to.as_deref()).await });
        match run.await.map_err(|error| Status::internal(error.to_string()))? {
            Ok(done) => Ok(Response::new(ReparentResponse {
                primary: done.primary,
                term: done.term,
                outage_ms: u64::try_from(done.outage.as_millis()).unwrap_or(u64::MAX),
            })),
            Err(error @ Refusal::Unchanged(_)) => Err(Status::failed_precondition(error.to_string())),
            Err(error @ Refusal::Unknown(_)) => Err(Status::unavailable(error.to_string())),
        }
    }

    async fn restart(&self, _: Request<RestartRequest>) -> Result<Response<RestartResponse>, Status> {
        match self.restarts.restart().await {
            Ok(()) => Ok(Response::new(RestartResponse {})),
            Err(error @ RestartError::Refused(_)) => Err(Status::failed_precondition(error.to_string())),
            Err(error @ RestartError::Failed(_)) => Err(Status::unavailable(error.to_string())),
        }
    }

    async fn wait_for_gtids(
        &self,
        request: Request<WaitForGtidsRequest>,
    ) -> Result<Response<WaitForGtidsResponse>, Status> {
        let request = request.into_inner();
        let gtids: GtidSet = request
            .gtids
            .parse()
            .map_err(|error: GtidError| Status::invalid_argument(error.to_string()))?;
        let limit = Duration::from_millis(request.timeout_ms).min(WAIT_MAX);
        let query = format!(
            "SELECT WAIT_FOR_EXECUTED_GTID_SET({}, {})",
            literal(&gtids.to_string()),
            limit.as_secs_f64()
        );
        let timed_out: u8 = self
            .control
            .another()
            .row(&query, limit + INTERVAL)
            .await
            .map_err(internal)?;
        Ok(Response::new(WaitForGtidsResponse {
            executed: timed_out == 0,
        }))
    }

    async fn get_status(&self, _: Request<GetStatusRequest>) -> Result<Response<GetStatusResponse>, Status> {
        let health = self.board.get();
        Ok(Response::new(GetStatusResponse {
            health: Some(self.board.message(&health, self.known())),
            mysqld_pid: health.mysqld_pid,
            agent_pid: std::process::id(),
            data_dir: self.board.identity().data_dir.clone(),
            mysqld_starts: health.mysqld_starts,
        }))
    }
}

/// One receiver of a health stream.
struct Following {
    board: Board,
    changes: tokio::sync::watch::Receiver<Health>,
    known: (u64, u64),
    first: bool,
}

impl Following {
    async fn next(&mut self) -> HealthUpdate {
        if !std::mem::take(&mut self.first) {
            tokio::time::sleep(PAUSE).await;
            let _ = tokio::time::timeout(INTERVAL - PAUSE, self.changes.changed()).await;
        }
        let health = self.changes.borrow_and_update().clone();
        let update = self.board.message(&health, self.known);
        self.known = (update.incarnation, update.schema_revision);
        update
    }
}

fn unavailable(error: SchemaError) -> Status {
    Status::unavailable(format!("{:#}", anyhow::Error::new(error)))
}

fn internal(error: ControlError) -> Status {
    Status::internal(error.to_string())
}

fn refused(index: usize, error: ControlError) -> Status {
    match error {
        ControlError::Refused(error) => statement_error(&StatementError {
            index: u32::try_from(index).unwrap_or(u32::MAX),
            mysql_errno: u32::from(error.code),
            sqlstate: error.state,
            message: error.message,
        }),
        error => internal(error),
    }
}
