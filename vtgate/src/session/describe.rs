//! What a statement's parameters and columns are, and what is wrong with it: MySQL says it when it prepares the statement.

use mysql_wire::client::Prepared;
use planner::catalog::{KeyspaceIndex, ShardIndex};
use planner::plan::{Plan, PlanNode, Routing, Template};

use super::Session;
use super::answer::{Column, Table};
use super::execute::Input;
use super::lease::{Lease, Needs};
use super::show::ShowAction;
use crate::backend::statements::StatementKey;
use crate::error::{self, SqlResult};

/// What COM_STMT_PREPARE answers.
#[derive(Default)]
pub(super) struct Metadata {
    /// Definitions of the parameters.
    pub params: Vec<Vec<u8>>,
    /// Definitions of the columns.
    pub columns: Vec<Vec<u8>>,
    /// Warnings.
    pub warnings: u16,
}

impl From<Prepared> for Metadata {
    fn from(prepared: Prepared) -> Self {
        Self {
            params: prepared.params,
            columns: prepared.columns,
            warnings: prepared.warnings,
        }
    }
}

impl Session {
    /// Asks a shard for the statement's metadata, and for its errors.
    pub(super) async fn describe_on_shard(&mut self, plan: &Plan, input: &Input<'_>) -> SqlResult<Metadata> {
        let Some((keyspace, shard, query)) = place_of(plan) else {
            return Ok(Metadata::default());
        };
        let (text, _) = self.render(query, input, None)?;
        let cluster = self.worker.cluster();
        let needs = Needs {
            primary: plan.effects.locking_read,
            anywhere: true,
            ..Needs::default()
        };
        let lease = self.lease(&cluster, keyspace, shard, needs).await?;
        self.describe_on(lease, &text).await
    }

    /// Prepares a statement on a shard without running it, for MySQL's errors.
    pub(super) async fn try_on(&mut self, lease: Lease, text: &[u8]) -> SqlResult<()> {
        self.describe_on(lease, text).await.map(|_| ())
    }

    /// Prepares a statement on a lease for its metadata.
    pub(super) async fn describe_on(&mut self, lease: Lease, text: &[u8]) -> SqlResult<Metadata> {
        let mut lease = self.settled(lease).await?;
        let conn = &mut lease.branch.conn;
        let key = StatementKey {
            text: text.into(),
            types: [].into(),
            settings: self.system.id(),
            database: conn.database().clone(),
        };
        match conn.prepare(text).await.map_err(|error| conn.lost(error)) {
            Ok(prepared) => {
                conn.remember(key, prepared.id);
                self.branches.give_back(lease.branch);
                Ok(Metadata::from(prepared))
            }
            Err(wrong) => Err(self.fallen(lease, wrong)),
        }
    }

    /// Metadata of a statement that the session answers itself.
    pub(super) async fn describe_own(
        &mut self,
        statement: &sql::ast::Statement<'_>,
        text: &[u8],
    ) -> SqlResult<Metadata> {
        use sql::ast::StatementKind;
        match &statement.kind {
            // Parameters that MySQL evaluates.
            StatementKind::Kill(_) | StatementKind::Set(_) => {
                let params = (0..statement.params).map(|_| Column::number("?"));
                Ok(Metadata {
                    params: Table::new(params.collect()).encoded_columns(self.out.collation),
                    ..Metadata::default()
                })
            }
            _ if statement.params > 0 => Err(error::unsupported("parameters in this statement")),
            StatementKind::Show(show) => match self.show(show, text)? {
                ShowAction::Answer(table) => Ok(Metadata {
                    columns: table.encoded_columns(self.out.collation),
                    ..Metadata::default()
                }),
                ShowAction::Ask(keyspace) => {
                    let lease = self.lease_any(keyspace.as_deref(), Needs::default()).await?;
                    self.describe_on(lease, text).await
                }
            },
            StatementKind::Explain(_) => Err(error::unsupported("VEXPLAIN as a prepared statement")),
            _ => Ok(Metadata::default()),
        }
    }
}

/// Where a plan's metadata comes from: a shard and the text to prepare there.
fn place_of(plan: &Plan) -> Option<(KeyspaceIndex, ShardIndex, &Template)> {
    match &plan.node {
        PlanNode::Route(route) => {
            let shard = match &route.routing {
                Routing::Target(shard) => *shard,
                _ => 0,
            };
            Some((route.keyspace, shard, &route.query))
        }
        PlanNode::Insert(insert) => Some((insert.keyspace, 0, &insert.query)),
        PlanNode::Ddl(_) => None,
    }
}
