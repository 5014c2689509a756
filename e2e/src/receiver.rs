//! A collector of traces: takes OTLP by gRPC and keeps the spans.

use std::time::Duration;

use anyhow::{Context as _, Result};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::sync::watch;
use tonic::{Request, Response, Status};

/// How long spans may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running collector; it ends with its runtime.
#[derive(Debug)]
pub struct Receiver {
    /// Where it listens, as a URL.
    pub endpoint: String,
    spans: watch::Receiver<Vec<Span>>,
}

#[derive(Debug)]
struct Keeper(watch::Sender<Vec<Span>>);

#[tonic::async_trait]
impl TraceService for Keeper {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans.into_iter();
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        let new: Vec<Span> = scopes.flat_map(|scope| scope.spans).collect();
        self.0.send_modify(|spans| spans.extend(new));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Receiver {
    /// Listens on a free port.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn start() -> Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let (sender, spans) = watch::channel(Vec::new());
        let incoming = tonic::transport::server::TcpIncoming::from(listener);
        let server = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(Keeper(sender)))
            .serve_with_incoming(incoming);
        tokio::spawn(server);
        Ok(Self { endpoint, spans })
    }

    /// Waits for so many spans that fulfil a condition.
    ///
    /// # Errors
    /// When they do not come; with the names of those that did.
    pub async fn spans(&self, count: usize, wanted: impl Fn(&Span) -> bool) -> Result<Vec<Span>> {
        let mut spans = self.spans.clone();
        let all = spans.wait_for(|spans| spans.iter().filter(|span| wanted(span)).count() >= count);
        let found = tokio::time::timeout(PATIENCE, all).await.map(|all| {
            let all = all.context("the collector is gone")?;
            Ok(all.iter().filter(|span| wanted(span)).cloned().collect())
        });
        found.unwrap_or_else(|_| {
            let names: Vec<String> = self.spans.borrow().iter().map(|span| span.name.clone()).collect();
            anyhow::bail!("not {count} spans; there are {names:?}")
        })
    }
}

/// A span's attribute of type string.
pub fn attribute<'s>(span: &'s Span, key: &str) -> Option<&'s str> {
    let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}
