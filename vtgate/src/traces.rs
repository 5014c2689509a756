//! OpenTelemetry traces: a span for each statement and, below it, one for each shard that works for it, sent by OTLP.
//!
//! Names and attributes follow OpenTelemetry's conventions for databases. No text of a statement leaves the gateway: the summary has its
//! first word and its tables.

pub mod parent;

use std::time::Duration;

use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, Span};
use sql::fingerprint::Verb;

use crate::cluster::TabletTarget;
use crate::config::Config;

/// Longest summary, in characters, as the conventions have it.
const SUMMARY_CHARS_MAX: usize = 255;

/// How long the last spans may take to be sent at the end.
const SHUTDOWN_MAX: Duration = Duration::from_secs(5);

/// Makes spans; a thread of its own sends them. Clones share it.
#[derive(Clone, Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Traces {
    /// As the flags say; none without an endpoint. To be called within the runtime that will talk to the endpoint.
    ///
    /// # Errors
    /// When the endpoint is no address.
    pub fn new(config: &Config) -> anyhow::Result<Option<Self>> {
        let Some(endpoint) = config.otlp_endpoint.as_ref().filter(|url| !url.is_empty()) else {
            return Ok(None);
        };
        let exporter = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .build()?;
        let ratio = Sampler::TraceIdRatioBased(config.trace_ratio);
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(ratio)))
            .with_resource(
                Resource::builder()
                    .with_service_name(config.otlp_service_name.clone())
                    .build(),
            )
            .build();
        let tracer = provider.tracer("vtgate");
        Ok(Some(Self { provider, tracer }))
    }

    /// The span of a statement that begins now; none if it is not sampled.
    pub fn statement(
        &self,
        parent: Option<SpanContext>,
        verb: Verb,
        database: Option<&str>,
    ) -> Option<Box<StatementSpan>> {
        let context = match parent {
            Some(parent) => Context::new().with_remote_span_context(parent),
            None => Context::new(),
        };
        let operation = operation(verb);
        let name = operation.clone().unwrap_or_else(|| "statement".to_owned());
        let mut span = builder(name, SpanKind::Server, database).start_with_context(&self.tracer, &context);
        if !span.is_recording() {
            return None;
        }
        if let Some(operation) = &operation {
            span.set_attribute(KeyValue::new("db.operation.name", operation.clone()));
        }
        Some(Box::new(StatementSpan {
            below: Context::new().with_remote_span_context(span.span_context().clone()),
            span,
            tracer: self.tracer.clone(),
            summary: operation.clone(),
            operation,
        }))
    }

    /// Sends what is left. Blocks, and needs the runtime of [`Traces::new`] meanwhile.
    pub fn shut_down(&self) {
        if let Err(error) = self.provider.shutdown_with_timeout(SHUTDOWN_MAX) {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

/// The span of a statement; ends when dropped, but without its summary then.
#[derive(Debug)]
pub struct StatementSpan {
    span: Span,
    /// With it as the parent.
    below: Context,
    tracer: SdkTracer,
    operation: Option<String>,
    summary: Option<String>,
}

impl StatementSpan {
    /// Names the tables that the statement uses.
    pub fn uses<'t>(&mut self, tables: impl Iterator<Item = &'t str>) {
        let Some(summary) = &mut self.summary else {
            return;
        };
        for table in tables {
            if summary.chars().count() + 1 + table.chars().count() > SUMMARY_CHARS_MAX {
                break;
            }
            summary.push(' ');
            summary.push_str(table);
        }
    }

    /// The client was answered, by an error with this number if there is one.
    pub fn end(mut self, error: Option<u16>) {
        if let Some(summary) = self.summary {
            self.span
                .set_attribute(KeyValue::new("db.query.summary", summary.clone()));
            self.span.update_name(summary);
        }
        if let Some(code) = error {
            fail(&mut self.span, code);
        }
    }

    /// A span of what one tablet does for the statement.
    pub fn shard(&self, target: &TabletTarget) -> Box<ShardSpan> {
        let name = format!("{} {}/{}", self.operation(), target.keyspace, target.shard);
        let mut span = builder(name, SpanKind::Client, Some(&target.database))
            .start_with_context(&self.tracer, &self.below);
        span.set_attribute(KeyValue::new("vitrail.keyspace", target.keyspace.to_string()));
        span.set_attribute(KeyValue::new("vitrail.shard", target.shard.to_string()));
        span.set_attribute(KeyValue::new("vitrail.tablet", target.alias.clone()));
        Box::new(ShardSpan(span))
    }

    fn operation(&self) -> &str {
        self.operation.as_deref().unwrap_or("statement")
    }
}

/// The span of a tablet's part; ends when dropped.
#[derive(Debug)]
pub struct ShardSpan(Span);

impl ShardSpan {
    /// The tablet answered an error.
    pub fn failed(&mut self, code: u16) {
        fail(&mut self.0, code);
    }
}

fn builder(name: String, kind: SpanKind, database: Option<&str>) -> SpanBuilder {
    let mut attributes = vec![KeyValue::new("db.system.name", "mysql")];
    attributes.extend(database.map(|name| KeyValue::new("db.namespace", name.to_owned())));
    SpanBuilder::from_name(name)
        .with_kind(kind)
        .with_attributes(attributes)
}

fn fail(span: &mut Span, code: u16) {
    span.set_attribute(KeyValue::new("error.type", code.to_string()));
    span.set_attribute(KeyValue::new("db.response.status_code", code.to_string()));
    span.set_status(Status::error(""));
}

/// The statement's first word; none where it says nothing.
fn operation(verb: Verb) -> Option<String> {
    match verb {
        Verb::Empty | Verb::Other | Verb::Maintenance => None,
        Verb::Paren => Some("SELECT".to_owned()),
        known => Some(format!("{known:?}").to_ascii_uppercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_words_of_sql() {
        assert_eq!(operation(Verb::Select).as_deref(), Some("SELECT"));
        assert_eq!(operation(Verb::Paren).as_deref(), Some("SELECT"));
        assert_eq!(operation(Verb::Truncate).as_deref(), Some("TRUNCATE"));
        assert_eq!(operation(Verb::Empty), None);
    }
}
