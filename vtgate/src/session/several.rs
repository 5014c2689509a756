//! Statements that go to several shards at once: writes by scatter, rows of an INSERT by shard.
//!
//! Until commits over shards are atomic, an autocommit statement opens a transaction on every shard, executes on all, and commits in
//! order only when all have succeeded. Inside an explicit transaction a second writing shard is refused by name.

use futures::future::join_all;
use mysql_wire::client::{OkStatus, ResultReader, Step};
use mysql_wire::{Error, SqlError};
use planner::catalog::{KeyspaceIndex, ShardIndex};
use planner::coerce::WriteMode;
use planner::plan::{Insert, Plan, Route, Several, StatementKind};
use planner::render::ParamOrder;
use planner::resolve::resolve_insert;

use super::Session;
use super::answer::OkAnswer;
use super::commit::{Uncommitted, commit_in_order, roll_back};
use super::diagnostics::{Diagnostics, warning_count, warnings_of};
use super::execute::{Input, Protocol};
use super::execution::{Bound, Ready};
use super::lease::{Lease, Needs};
use super::planned::{InsertId, Planned, plan_error};
use super::query::Done;
use super::relay::skip_answers;
use crate::cluster::Cluster;
use crate::error::{self, SqlResult};

/// A statement for one shard.
pub(super) struct Part {
    /// The shard.
    pub shard: ShardIndex,
    /// Its text.
    pub text: Vec<u8>,
    /// What the parameters in the text are.
    pub order: ParamOrder,
}

impl Session {
    /// INSERT or REPLACE with rows that are routed each by its own values.
    pub(super) async fn run_insert(
        &mut self,
        cluster: &Cluster,
        plan: &Plan,
        insert: &Insert,
        input: &Input<'_>,
    ) -> Result<Done, mysql_wire::Error> {
        let Some(keyspace) = cluster.catalog.keyspace(insert.keyspace) else {
            return Ok(self.fail(error::internal("the plan's keyspace is gone")));
        };
        let targets = match resolve_insert(insert, &self.bindings(input), keyspace, self.write_mode(insert)) {
            Ok(targets) => targets,
            Err(wrong) => return Ok(self.fail(plan_error(wrong))),
        };
        if let [target] = targets.as_slice() {
            let place = (insert.keyspace, target.shard);
            return self
                .run_on_one(cluster, plan, place, &insert.query, InsertId::None, input)
                .await;
        }
        let Some(split) = &insert.split else {
            return Ok(self.fail(error::unsupported(
                "this form of INSERT with rows of several shards",
            )));
        };
        let mut parts = Vec::with_capacity(targets.len());
        for target in &targets {
            match self.render(split, input, Some((&insert.rows, &target.rows))) {
                Ok((text, order)) => parts.push(Part {
                    shard: target.shard,
                    text,
                    order,
                }),
                Err(wrong) => return Ok(self.fail(wrong)),
            }
        }
        self.write_parts(cluster, plan, insert.keyspace, &parts, false, input)
            .await
    }

    /// How written values are converted.
    fn write_mode(&self, insert: &Insert) -> WriteMode {
        let sql_mode = &self.context.sql_mode;
        let has = |name: &str| sql_mode.split(',').any(|mode| mode.eq_ignore_ascii_case(name));
        // The empty text stands for the server's default, which is strict, until the session sets another one.
        let strict =
            self.system.get("sql_mode").is_none() || has("STRICT_TRANS_TABLES") || has("STRICT_ALL_TABLES");
        WriteMode {
            strict: strict && !insert.ignore,
            no_auto_value_on_zero: has("NO_AUTO_VALUE_ON_ZERO"),
        }
    }

    /// UPDATE, DELETE and writes of reference tables on several shards.
    pub(super) async fn run_writes(
        &mut self,
        cluster: &Cluster,
        plan: &Plan,
        route: &Route,
        shards: &[ShardIndex],
        input: &Input<'_>,
    ) -> Result<Done, mysql_wire::Error> {
        let (text, order) = match self.render(&route.query, input, None) {
            Ok(rendered) => rendered,
            Err(wrong) => return Ok(self.fail(wrong)),
        };
        let parts: Vec<Part> = shards
            .iter()
            .map(|shard| Part {
                shard: *shard,
                text: text.clone(),
                order: order.clone(),
            })
            .collect();
        let same = matches!(route.several, Several::SameOnEach);
        self.write_parts(cluster, plan, route.keyspace, &parts, same, input)
            .await
    }

    /// Executes all parts, or none.
    async fn write_parts(
        &mut self,
        cluster: &Cluster,
        plan: &Plan,
        keyspace: KeyspaceIndex,
        parts: &[Part],
        same_on_each: bool,
        input: &Input<'_>,
    ) -> Result<Done, mysql_wire::Error> {
        if self.in_transaction() {
            return Ok(self.fail(error::unsupported("a transaction that writes to several shards")));
        }
        if let Some(name) = plan.effects.user_vars_written.first() {
            return Ok(self.fail(error::unsupported(format_args!(
                "@{name} := .. on several shards"
            ))));
        }
        let needs = Needs {
            writes: true,
            user_variables: !plan.effects.user_vars_read.is_empty(),
            tables: true,
            ..Needs::default()
        };
        let mut leases = Vec::with_capacity(parts.len());
        for part in parts {
            match self.lease(cluster, keyspace, part.shard, needs).await {
                Ok(lease) => leases.push(lease),
                Err(wrong) => {
                    self.return_unused(leases).await;
                    return Ok(self.fail(wrong));
                }
            }
        }
        let prepared = match self.prepare_parts(&mut leases, parts, input).await {
            Ok(prepared) => prepared,
            Err((at, wrong)) => {
                let told = self.fall_back(leases, at, wrong).await;
                return Ok(self.fail(told));
            }
        };
        for (at, (lease, part)) in leases.iter_mut().zip(parts).enumerate() {
            lease.branch.conn.push_query(b"START TRANSACTION");
            lease.prefixes += 1;
            match prepared.get(at) {
                None => lease.branch.conn.push_query(&part.text),
                Some((bound, statement)) => {
                    if let Err(wrong) = bound.push(lease, *statement) {
                        return Ok(self.fail(wrong));
                    }
                }
            }
        }
        let executed = join_all(leases.iter_mut().map(execute)).await;
        let mut answers = Vec::with_capacity(executed.len());
        let mut failed: Option<(usize, SqlError)> = None;
        for (at, outcome) in executed.into_iter().enumerate() {
            match outcome {
                Ok(answer) => answers.push(answer),
                // What another shard found wrong stays wrong when a lost one is back.
                Err(wrong) if failed.as_ref().is_none_or(|(_, known)| error::is_gone(known)) => {
                    failed = Some((at, wrong));
                }
                Err(_) => {}
            }
        }
        if let Some((at, wrong)) = failed {
            join_all(leases.iter_mut().map(roll_back)).await;
            return Ok(self.undone(leases, at, wrong));
        }
        match commit_in_order(&mut leases).await {
            Ok(()) => {
                self.give_back(leases);
                self.branches.transaction.characteristics.clear();
                self.answer_writes(plan, &answers, same_on_each);
                Ok(Done::Answered)
            }
            Err(Uncommitted::All(wrong)) => Ok(self.undone(leases, 0, wrong)),
            Err(Uncommitted::Some(wrong)) => {
                self.give_back(leases);
                self.branches.transaction.characteristics.clear();
                Ok(self.fail(wrong))
            }
        }
    }

    /// Ends a statement that was undone on all shards, since the one at `at` failed.
    fn undone(&mut self, mut leases: Vec<Lease>, at: usize, wrong: SqlError) -> Done {
        let failed = (at < leases.len()).then(|| leases.swap_remove(at));
        self.give_back(leases);
        let told = match failed {
            Some(mut failed) => {
                failed.branch.told_characteristics = false;
                self.fallen(failed, wrong)
            }
            None => wrong,
        };
        if self.stall.is_none() {
            self.branches.transaction.characteristics.clear();
        }
        self.fail(told)
    }

    /// Prepares each part on its connection, where the client's statement is a prepared one.
    async fn prepare_parts<'p>(
        &mut self,
        leases: &mut [Lease],
        parts: &[Part],
        input: &Input<'p>,
    ) -> Result<Vec<(Bound<'p>, Ready)>, (usize, SqlError)> {
        let Protocol::Binary(execution) = input.protocol else {
            return Ok(Vec::new());
        };
        let mut prepared = Vec::with_capacity(parts.len());
        for (at, (lease, part)) in leases.iter_mut().zip(parts).enumerate() {
            let bound = execution.bind(&part.text, Some(&part.order));
            match self.prepare_bound(lease, &bound).await {
                Ok(statement) => prepared.push((bound, statement)),
                Err(wrong) => return Err((at, wrong)),
            }
        }
        Ok(prepared)
    }

    /// Connections on which the statement's own transaction has ended.
    fn give_back(&mut self, leases: Vec<Lease>) {
        for mut lease in leases {
            lease.branch.told_characteristics = false;
            self.branches.give_back(lease.branch);
        }
    }

    /// One answer out of all shards' answers.
    fn answer_writes(&mut self, plan: &Plan, answers: &[(OkStatus, Diagnostics)], same_on_each: bool) {
        let counted = if same_on_each {
            answers.get(..1).unwrap_or_default()
        } else {
            answers
        };
        let affected_rows = counted.iter().map(|(ok, _)| ok.affected_rows).sum();
        self.diagnostics = counted
            .iter()
            .flat_map(|(_, conditions)| conditions.iter().cloned())
            .collect();
        let parts: Vec<&OkStatus> = counted.iter().map(|(ok, _)| ok).collect();
        let info = merge_info(plan.kind, &parts);
        self.row_count = i64::try_from(affected_rows).unwrap_or(i64::MAX);
        let answer = OkAnswer {
            affected_rows,
            last_insert_id: counted.first().map_or(0, |(ok, _)| ok.last_insert_id),
            status: self.status(),
            warnings: warning_count(&self.diagnostics),
            info: info.as_bytes(),
        };
        self.out.ok(&answer);
    }

    /// VEXPLAIN and metadata need a plan's parts without running them.
    pub(super) fn parts_of(
        &self,
        cluster: &Cluster,
        planned: &Planned,
        input: &Input<'_>,
    ) -> SqlResult<(KeyspaceIndex, Vec<Part>)> {
        use planner::plan::PlanNode;
        let Planned::Plan(plan, _) = planned else {
            return Err(error::unsupported("VEXPLAIN of transaction control"));
        };
        let gone = || error::internal("the plan's keyspace is gone");
        match &plan.node {
            PlanNode::Route(route) => {
                let keyspace = cluster.catalog.keyspace(route.keyspace).ok_or_else(gone)?;
                let shards = planner::resolve::resolve(&route.routing, &self.bindings(input), keyspace);
                let template = match (&route.several, shards.len()) {
                    (Several::Merge(merge), 2..) => &merge.query,
                    (Several::Refused(wrong), 2..) => return Err(plan_error((**wrong).clone())),
                    _ => &route.query,
                };
                let (text, order) = self.render(template, input, None)?;
                Ok((
                    route.keyspace,
                    shards
                        .iter()
                        .map(|shard| Part {
                            shard: *shard,
                            text: text.clone(),
                            order: order.clone(),
                        })
                        .collect(),
                ))
            }
            PlanNode::Insert(insert) => {
                let keyspace = cluster.catalog.keyspace(insert.keyspace).ok_or_else(gone)?;
                let mode = self.write_mode(insert);
                let targets =
                    resolve_insert(insert, &self.bindings(input), keyspace, mode).map_err(plan_error)?;
                let one = targets.len() == 1;
                let parts = targets
                    .iter()
                    .map(|target| {
                        let template = match &insert.split {
                            Some(split) if !one => split,
                            _ => &insert.query,
                        };
                        let rows = Some((&insert.rows, target.rows.as_slice()));
                        let (text, order) = self.render(template, input, rows)?;
                        Ok(Part {
                            shard: target.shard,
                            text,
                            order,
                        })
                    })
                    .collect::<SqlResult<Vec<_>>>()?;
                Ok((insert.keyspace, parts))
            }
            PlanNode::Ddl(ddl) => {
                let keyspace = cluster.catalog.keyspace(ddl.keyspace).ok_or_else(gone)?;
                let shards = planner::resolve::resolve(&ddl.routing, &self.bindings(input), keyspace);
                let (text, order) = self.render(&ddl.query, input, None)?;
                Ok((
                    ddl.keyspace,
                    shards
                        .iter()
                        .map(|shard| Part {
                            shard: *shard,
                            text: text.clone(),
                            order: order.clone(),
                        })
                        .collect(),
                ))
            }
        }
    }
}

/// Sends what was added and reads the statement's answer. The transaction stays open.
async fn execute(lease: &mut Lease) -> SqlResult<(OkStatus, Diagnostics)> {
    let ok = match read_ok(lease).await {
        Ok(ok) => ok,
        Err(error) => return Err(lease.branch.conn.lost(error)),
    };
    let diagnostics = if ok.warnings > 0 {
        warnings_of(&mut lease.branch.conn).await?
    } else {
        Diagnostics::new()
    };
    Ok((ok, diagnostics))
}

async fn read_ok(lease: &mut Lease) -> Result<OkStatus, Error> {
    let conn = &mut lease.branch.conn;
    let first_seq = conn.stream().seq();
    conn.stream().flush().await?;
    skip_answers(conn, std::mem::take(&mut lease.prefixes)).await??;
    conn.stream().set_seq(first_seq);
    let mut reader = ResultReader::new(conn.capabilities());
    loop {
        let packet = conn.stream().read_packet().await?;
        match reader.feed(&packet) {
            Ok(Step::Done(ok)) => {
                conn.end_exchange();
                return Ok(ok);
            }
            Ok(Step::LocalInfile) => return Err(Error::Unexpected("LOCAL INFILE request")),
            Ok(Step::Head | Step::Columns | Step::Row) => {}
            Err(Error::Sql(wrong)) => {
                conn.end_exchange();
                return Err(wrong.into());
            }
            Err(lost) => return Err(lost),
        }
    }
}

/// Adds up the numbers of MySQL's info lines, such as `Rows matched: 2  Changed: 1  Warnings: 0`.
pub(super) fn merge_info(kind: StatementKind, parts: &[&OkStatus]) -> String {
    if let [only] = parts {
        return String::from_utf8_lossy(&only.info).into_owned();
    }
    let mut sums = [0_u64; 3];
    for part in parts {
        for (sum, number) in sums.iter_mut().zip(info_numbers(kind, part)) {
            *sum += number;
        }
    }
    let [first, second, third] = sums;
    match kind {
        StatementKind::Update => format!("Rows matched: {first}  Changed: {second}  Warnings: {third}"),
        // DDL that copies no rows says nothing.
        StatementKind::Ddl if parts.iter().all(|part| part.info.is_empty()) => String::new(),
        StatementKind::Insert | StatementKind::Replace | StatementKind::Ddl => {
            format!("Records: {first}  Duplicates: {second}  Warnings: {third}")
        }
        _ => String::new(),
    }
}

/// The numbers of one info line. MySQL leaves the line out for an INSERT of a single row: then its counts tell the same.
fn info_numbers(kind: StatementKind, part: &OkStatus) -> [u64; 3] {
    if part.info.is_empty() && matches!(kind, StatementKind::Insert | StatementKind::Replace) {
        return [1, u64::from(part.affected_rows != 1), u64::from(part.warnings)];
    }
    let text = String::from_utf8_lossy(&part.info);
    let mut numbers = text
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok());
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(info: &[u8], affected_rows: u64) -> OkStatus {
        OkStatus {
            info: info.to_vec(),
            affected_rows,
            ..OkStatus::default()
        }
    }

    #[test]
    fn info_lines_add_up() {
        let parts = [
            part(b"Rows matched: 2  Changed: 1  Warnings: 0", 1),
            part(b"Rows matched: 3  Changed: 3  Warnings: 1", 3),
        ];
        let update = merge_info(StatementKind::Update, &parts.each_ref());
        assert_eq!(update, "Rows matched: 5  Changed: 4  Warnings: 1");
        let parts = [
            part(b"Records: 2  Duplicates: 1  Warnings: 0", 3),
            part(b"", 1),
            part(b"", 2),
        ];
        let insert = merge_info(StatementKind::Replace, &parts.each_ref());
        assert_eq!(insert, "Records: 4  Duplicates: 2  Warnings: 0");
        assert_eq!(
            merge_info(StatementKind::Delete, &[&part(b"", 1), &part(b"", 1)]),
            ""
        );
        assert_eq!(merge_info(StatementKind::Insert, &[&part(b"", 1)]), "");
    }
}
