//! Reads over several shards: all are asked at once, and their rows become one result.

use futures::future::join_all;
use mysql_wire::client::QueryResult;
use mysql_wire::message::ColumnDefinition;
use mysql_wire::{Error, StatusFlags};
use planner::catalog::ShardIndex;
use planner::plan::{Merge, Plan, Route};

use super::Session;
use super::diagnostics::{Diagnostics, warning_count};
use super::execute::{Input, Lease, Needs, Protocol};
use super::query::Done;
use crate::cluster::Cluster;
use crate::error::{self, SqlResult};

impl Session {
    /// Runs a scatter read and answers with the merged rows.
    pub(super) async fn run_merge(
        &mut self,
        cluster: &Cluster,
        plan: &Plan,
        route: &Route,
        merge: &Merge,
        shards: &[ShardIndex],
        input: &Input<'_>,
    ) -> Result<Done, mysql_wire::Error> {
        match self.merged(cluster, plan, route, merge, shards, input).await {
            Ok(result) => {
                let status = self.status();
                self.found_rows = result.rows.len() as u64;
                self.row_count = -1;
                if let Err(wrong) = self.send_rows(&result, input, status) {
                    self.out.buffer.clear();
                    return Ok(self.fail(wrong));
                }
                Ok(Done::Answered)
            }
            Err(wrong) => Ok(self.fail(wrong)),
        }
    }

    async fn merged(
        &mut self,
        cluster: &Cluster,
        plan: &Plan,
        route: &Route,
        merge: &Merge,
        shards: &[ShardIndex],
        input: &Input<'_>,
    ) -> SqlResult<QueryResult> {
        if let Some(name) = plan.effects.user_vars_written.first() {
            return Err(error::unsupported(format_args!(
                "@{name} := .. on several shards"
            )));
        }
        let (text, _) = self.render(&merge.query, input, None, true)?;
        let needs = Needs {
            user_variables: !plan.effects.user_vars_read.is_empty(),
            primary: plan.effects.locking_read,
            ..Needs::default()
        };
        let mut leases = Vec::with_capacity(shards.len());
        for shard in shards {
            match self.lease(cluster, route.keyspace, *shard, needs).await {
                Ok(lease) => leases.push(lease),
                Err(wrong) => {
                    self.return_unused(leases).await;
                    return Err(wrong);
                }
            }
        }
        let asked = join_all(leases.iter_mut().map(|lease| ask(lease, &text)));
        let answers = tokio::select! {
            biased;
            why = self.control.interrupted(crate::control::Interrupts::STATEMENT) => {
                for lease in &leases {
                    super::kill::kill_query(&lease.branch.conn).await;
                }
                self.branches.abandon();
                return Err(super::execute::interrupt_error(why));
            }
            answers = asked => answers,
        };
        let mut results = Vec::with_capacity(answers.len());
        let mut diagnostics = Diagnostics::new();
        let mut first_error = None;
        let mut lost = false;
        for (lease, answer) in leases.into_iter().zip(answers) {
            match answer {
                Ok((result, warnings)) => {
                    self.branches.put(lease.branch, result.ok.status);
                    diagnostics.extend(warnings);
                    results.push(result);
                }
                Err(Error::Sql(wrong)) => {
                    first_error.get_or_insert(wrong);
                    self.branches.give_back(lease.branch);
                }
                Err(Error::TooLarge { limit }) => {
                    first_error.get_or_insert(error::result_too_large(limit));
                    lost |= lease.branch.in_transaction;
                    lease.branch.conn.discard();
                }
                Err(other) => {
                    first_error.get_or_insert(lease.branch.conn.lost(other));
                    lost |= lease.branch.in_transaction;
                    lease.branch.conn.discard();
                }
            }
        }
        if lost {
            self.branches.abandon();
        }
        if let Some(wrong) = first_error {
            return Err(wrong);
        }
        self.diagnostics = diagnostics;
        crate::merge::merge(
            merge,
            results,
            &self.bindings(input),
            self.worker.shared.config.result_bytes_max,
        )
    }

    fn send_rows(&mut self, result: &QueryResult, input: &Input<'_>, status: StatusFlags) -> SqlResult<()> {
        let definitions = result
            .columns
            .iter()
            .map(|column| ColumnDefinition::decode(&column.definition));
        let definitions: Vec<ColumnDefinition<'_>> =
            definitions.collect::<Result<_, _>>().map_err(error::internal)?;
        self.out.columns(definitions.into_iter(), status);
        let binary = matches!(input.protocol, Protocol::Binary(_));
        for row in &result.rows {
            if binary {
                self.out.binary_cells(&result.columns, row)?;
            } else {
                self.out.text_row(row.iter().map(|cell| cell.as_deref()));
            }
        }
        self.out.end(status, warning_count(&self.diagnostics));
        Ok(())
    }
}

/// Sends the statement and reads its rows.
async fn ask(lease: &mut Lease, text: &[u8]) -> Result<(QueryResult, Diagnostics), Error> {
    let conn = &mut lease.branch.conn;
    conn.begin_exchange();
    conn.queue_query(text);
    conn.stream().flush().await?;
    let prefixed = super::relay::skip_answers(conn, std::mem::take(&mut lease.prefixes)).await?;
    let answer = conn.read_results().await;
    prefixed?;
    if matches!(answer, Ok(_) | Err(Error::Sql(_))) {
        conn.end_exchange();
    }
    let result = answer?
        .into_iter()
        .next()
        .ok_or(Error::Unexpected("end of the answer"))?;
    let warnings = if result.ok.warnings > 0 {
        super::several::conditions(conn.query(b"SHOW WARNINGS").await?)
    } else {
        Diagnostics::new()
    };
    Ok((result, warnings))
}
