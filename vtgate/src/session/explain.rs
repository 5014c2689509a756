//! VEXPLAIN: the plan of a statement, the queries it sends, and what each of them did.

use std::time::Instant;

use sql::ast::{Statement, VExplain};
use sql::fingerprint::Fingerprint;

use super::Session;
use super::answer::{Column, Table};
use super::execute::{Input, Protocol};
use super::lease::Needs;
use super::planned::Planned;
use super::query::{Done, Found};
use crate::error::{self, SqlResult};

impl Session {
    /// `VEXPLAIN PLAN|QUERIES|TRACE statement`.
    ///
    /// PLAN and QUERIES run nothing; TRACE runs the queries of a statement that only reads.
    pub(super) async fn vexplain(
        &mut self,
        kind: VExplain,
        explained: &Statement<'_>,
        text: &[u8],
    ) -> Result<Done, mysql_wire::Error> {
        match self.vexplain_table(kind, explained, text).await {
            Ok(table) => {
                let status = self.status();
                self.diagnostics.clear();
                self.out.table(&table, status, 0);
                Ok(Done::Answered)
            }
            Err(wrong) => Ok(self.fail(wrong)),
        }
    }

    async fn vexplain_table(
        &mut self,
        kind: VExplain,
        explained: &Statement<'_>,
        text: &[u8],
    ) -> SqlResult<Table> {
        let text = explained.span.of(text);
        let mut fingerprint = Fingerprint::new();
        fingerprint
            .read(text, self.lex_options())
            .map_err(error::syntax)?;
        let planned = match self.find(text, &fingerprint)? {
            Found::Planned(planned) => planned,
            Found::Own(_) | Found::Unparsed(_) => {
                return Err(error::unsupported("VEXPLAIN of a statement that is not planned"));
            }
        };
        let input = Input {
            text,
            fingerprint: &fingerprint,
            params: &[],
            protocol: Protocol::Text,
        };
        match kind {
            VExplain::Plan => Ok(self.explain_plan(&planned, &input)),
            VExplain::Queries => self.explain_queries(&planned, &input),
            VExplain::Trace => self.explain_trace(&planned, &input).await,
        }
    }

    fn explain_plan(&self, planned: &Planned, input: &Input<'_>) -> Table {
        let mut table = Table::new(vec![Column::text("JSON")]);
        let cluster = self.worker.cluster();
        let json = match planned {
            Planned::Plan(plan, _) => planner::describe(plan, &cluster.catalog, &self.bindings(input)),
            other => serde_json::Value::String(other.describe()),
        };
        let text = serde_json::to_string_pretty(&json).unwrap_or_default();
        table.row([&text]);
        table
    }

    fn explain_queries(&self, planned: &Planned, input: &Input<'_>) -> SqlResult<Table> {
        let mut table = Table::new(vec![
            Column::number("#"),
            Column::text("keyspace"),
            Column::text("shard"),
            Column::text("query"),
        ]);
        let cluster = self.worker.cluster();
        let (keyspace, parts) = self.parts_of(&cluster, planned, input)?;
        for (number, part) in parts.into_iter().enumerate() {
            let Some((keyspace, shard)) = cluster.shard(keyspace, part.shard) else {
                continue;
            };
            table.rows.push(vec![
                Some(number.to_string().into_bytes()),
                Some(keyspace.name.as_bytes().to_vec()),
                Some(shard.name.as_bytes().to_vec()),
                Some(part.text),
            ]);
        }
        Ok(table)
    }

    async fn explain_trace(&mut self, planned: &Planned, input: &Input<'_>) -> SqlResult<Table> {
        let Planned::Plan(plan, _) = planned else {
            return Err(error::unsupported("VEXPLAIN TRACE of transaction control"));
        };
        if !plan.kind.is_read() || plan.effects.not_repeatable || plan.effects.locking_read {
            return Err(error::unsupported(
                "VEXPLAIN TRACE of a statement that does more than read",
            ));
        }
        let mut table = Table::new(vec![
            Column::number("#"),
            Column::text("keyspace"),
            Column::text("shard"),
            Column::text("tablet"),
            Column::number("rows"),
            Column::number("us"),
            Column::text("query"),
        ]);
        let cluster = self.worker.cluster();
        let (keyspace, parts) = self.parts_of(&cluster, planned, input)?;
        for (number, part) in parts.into_iter().enumerate() {
            let Some((state, shard)) = cluster.shard(keyspace, part.shard) else {
                continue;
            };
            let lease = self
                .lease(
                    &cluster,
                    keyspace,
                    part.shard,
                    Needs {
                        user_variables: true,
                        ..Needs::default()
                    },
                )
                .await?;
            let mut lease = self.settled(lease).await?;
            let started = Instant::now();
            let conn = &mut lease.branch.conn;
            let answer = conn.query(&part.text).await.map_err(|error| conn.lost(error));
            let took = started.elapsed().as_micros();
            let alias = conn.target.alias.clone();
            let result = match answer {
                Ok(result) => result,
                Err(wrong) => return Err(self.fallen(lease, wrong)),
            };
            self.branches.give_back(lease.branch);
            table.rows.push(vec![
                Some(number.to_string().into_bytes()),
                Some(state.name.as_bytes().to_vec()),
                Some(shard.name.as_bytes().to_vec()),
                Some(alias.into_bytes()),
                Some(result.rows.len().to_string().into_bytes()),
                Some(took.to_string().into_bytes()),
                Some(part.text),
            ]);
        }
        Ok(table)
    }
}
