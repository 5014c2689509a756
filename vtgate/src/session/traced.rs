//! The session's part of traces. Without an endpoint each of these is one look at a None.

use mysql_wire::message::Query;
use mysql_wire::value::params::{Attribute, decode_attributes};
use planner::plan::Plan;
use sql::fingerprint::Verb;

use super::Session;
use crate::cluster::TabletTarget;
use crate::traces::{ShardSpan, parent};

impl Session {
    /// Remembers who asked for the statements of a COM_QUERY.
    pub(super) fn trace_query(&mut self, query: &Query<'_>) {
        if self.worker.shared.traces.is_some() {
            self.trace_attributes(&decode_attributes(&query.attributes).unwrap_or_default());
        }
    }

    /// Remembers who asked for the current command, by its query attributes.
    pub(super) fn trace_attributes(&mut self, attributes: &[Attribute<'_>]) {
        if self.worker.shared.traces.is_some() {
            self.trace_parent = parent::in_attributes(attributes);
        }
    }

    /// Begins the span of a statement.
    pub(super) fn begin_span(&mut self, verb: Verb, text: &[u8]) {
        let Some(traces) = &self.worker.shared.traces else {
            return;
        };
        let parent = self.trace_parent.clone().or_else(|| parent::in_comment(text));
        self.span = traces.statement(parent, verb, self.target.database.as_deref());
    }

    /// Names the tables of the statement's plan.
    pub(super) fn span_uses(&mut self, plan: &Plan) {
        if let Some(span) = &mut self.span {
            span.uses(plan.tables.iter().map(|used| &*used.table));
        }
    }

    /// The span of a shard's part in the statement.
    pub(super) fn shard_span(&self, target: &TabletTarget) -> Option<Box<ShardSpan>> {
        self.span.as_ref().map(|span| span.shard(target))
    }

    /// Ends the span of a statement.
    pub(super) fn end_span(&mut self, failed: bool) {
        let Some(span) = self.span.take() else {
            return;
        };
        let error = self
            .diagnostics
            .iter()
            .rev()
            .find(|condition| &*condition.level == "Error");
        // An error without a condition is one of the gateway's own that said no more.
        span.end(failed.then(|| error.map_or(1105, |condition| condition.code)));
    }
}
