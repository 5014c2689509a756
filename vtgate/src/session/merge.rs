//! Reads over several shards: all are asked at once, and their rows become one result.

use futures::future::join_all;
use mysql_wire::client::QueryResult;
use mysql_wire::message::ColumnDefinition;
use mysql_wire::{Error, SqlError, StatusFlags};
use planner::catalog::ShardIndex;
use planner::plan::{Merge, Plan, Route};

use super::Session;
use super::branches::Left;
use super::diagnostics::{Diagnostics, warning_count};
use super::execute::{Input, Lease, Needs, Protocol};
use super::kill::{KILLED, kill_query, take_late_kill};
use super::query::Done;
use crate::backend::Beside;
use crate::cluster::Cluster;
use crate::control::{Interrupt, Interrupts};
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
            tables: true,
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
        let (answers, interrupted) = self.ask_all(&mut leases, &text).await;
        let mut results = Vec::with_capacity(answers.len());
        let mut diagnostics = Diagnostics::new();
        let mut first_error = None;
        let mut left = Left::AsItWas;
        let mut tablet = String::new();
        for (lease, asked) in leases.into_iter().zip(answers) {
            let target = lease.branch.conn.target.clone();
            let status = asked.status.unwrap_or(
                self.status()
                    .with(StatusFlags::IN_TRANS, lease.branch.in_transaction),
            );
            let mut branch = lease.branch;
            match asked.answer {
                Ok((result, warnings)) => {
                    diagnostics.extend(warnings);
                    results.push(result);
                }
                Err(Error::Sql(wrong)) => {
                    first_error.get_or_insert(wrong);
                }
                Err(Error::TooLarge { limit }) => {
                    first_error.get_or_insert(error::result_too_large(limit));
                    branch.conn.begin_exchange();
                }
                Err(other) => {
                    first_error.get_or_insert(branch.conn.lost(other));
                    branch.conn.begin_exchange();
                }
            }
            let now = self.branches.put(branch, status);
            if now > left {
                (left, tablet) = (now, target.alias.clone());
            }
        }
        if self.autocommit() {
            self.branches.transaction.characteristics.clear();
        }
        let concluded = self.conclude(left, first_error.is_none(), &tablet).await;
        if let Some(why) = interrupted {
            return Err(super::execute::interrupt_error(why));
        }
        if let Some(wrong) = first_error {
            // Only a lost connection tells a client that its transaction is gone.
            return Err(match concluded {
                Err(lost) if left == Left::Lost => SqlError {
                    message: [&wrong.message[..], b"; the transaction is lost"].concat().into(),
                    ..lost
                },
                _ => wrong,
            });
        }
        concluded?;
        self.diagnostics = diagnostics;
        crate::merge::merge(
            merge,
            results,
            &self.bindings(input),
            self.worker.shared.config.result_bytes_max,
        )
    }

    /// Asks all at once. When the session is interrupted, every shard is asked to stop, and its answer is awaited all the same.
    async fn ask_all(&self, leases: &mut [Lease], text: &[u8]) -> (Vec<Asked>, Option<Interrupt>) {
        let busy: Vec<Beside> = leases.iter().map(|lease| lease.branch.conn.beside()).collect();
        let mut interrupted = None;
        let answers = {
            let mut asked = std::pin::pin!(join_all(leases.iter_mut().map(|lease| ask(lease, text))));
            loop {
                tokio::select! {
                    biased;
                    answers = &mut asked => break answers,
                    why = self.control.interrupted(Interrupts::STATEMENT), if interrupted.is_none() => {
                        interrupted = Some(why);
                        join_all(busy.iter().map(kill_query)).await;
                    }
                }
            }
        };
        if interrupted.is_some() {
            for lease in leases.iter_mut().filter(|lease| lease.branch.conn.is_clean()) {
                take_late_kill(&mut lease.branch.conn).await;
            }
        }
        // An interrupt that no shard noticed has changed nothing.
        let stopped = answers
            .iter()
            .any(|asked| matches!(&asked.answer, Err(Error::Sql(wrong)) if wrong.code == KILLED));
        (answers, interrupted.filter(|_| stopped))
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

/// What one shard answered.
struct Asked {
    answer: Result<(QueryResult, Diagnostics), Error>,
    /// The connection's status afterwards, where it is known.
    status: Option<StatusFlags>,
}

impl Asked {
    fn failed(error: Error) -> Self {
        Self {
            answer: Err(error),
            status: None,
        }
    }
}

/// Sends the statement and reads its rows.
async fn ask(lease: &mut Lease, text: &[u8]) -> Asked {
    let result = match rows(lease, text).await {
        Ok(result) if result.ok.warnings == 0 => {
            return Asked {
                status: Some(result.ok.status),
                answer: Ok((result, Diagnostics::new())),
            };
        }
        Err(Error::Sql(wrong)) if lease.branch.conn.is_clean() => Err(wrong),
        Ok(result) => Ok(result),
        Err(error) => return Asked::failed(error),
    };
    // An error packet has no status, and MySQL may have rolled back more than the statement.
    let shown = match lease.branch.conn.query(b"SHOW WARNINGS").await {
        Ok(shown) => shown,
        Err(error) => return Asked::failed(error),
    };
    Asked {
        status: Some(shown.ok.status),
        answer: match result {
            Ok(result) => Ok((result, super::several::conditions(shown))),
            Err(wrong) => Err(Error::Sql(wrong)),
        },
    }
}

async fn rows(lease: &mut Lease, text: &[u8]) -> Result<QueryResult, Error> {
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
    answer?
        .into_iter()
        .next()
        .ok_or(Error::Unexpected("end of the answer"))
}
