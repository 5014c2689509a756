//! Reads over several shards: all are asked at once, and their rows become one result while they arrive.

use std::sync::Arc;

use mysql_wire::client::Column;
use mysql_wire::message::ColumnDefinition;
use mysql_wire::value::convert::value_to_exact_text;
use mysql_wire::value::{ValueError, binary};
use mysql_wire::{SqlError, StatusFlags};
use planner::catalog::ShardIndex;
use planner::merge::{ColumnInfo, Row};
use planner::plan::{Merge, Plan, Route};

use super::Session;
use super::branches::Left;
use super::diagnostics::{Condition, Diagnostics, warning_count, warnings_and_status};
use super::execute::{Input, Protocol, interrupt_error};
use super::kill::take_late_kill;
use super::lease::{Lease, Needs};
use super::query::Done;
use super::scatter::{End, Scatter, Source, Stop};
use crate::cluster::{Cluster, TabletTarget};
use crate::error::{self, SqlResult};
use crate::merge::{Merger, Way};

/// Rows are sent to the client in chunks of at least so many bytes.
const CHUNK: usize = 32 * 1024;

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
        let mut scatter = match self.ask_each(cluster, plan, route, merge, shards, input).await {
            Ok(scatter) => scatter,
            Err(wrong) => return Ok(self.fail(wrong)),
        };
        let opened = scatter.open(&self.control).await;
        let answering = opened.is_ok();
        let outcome = match opened {
            Ok(()) => self.send_merged(&mut scatter, merge, input).await,
            Err(stop) => Err(stop),
        };
        let (rows, wrong) = match outcome {
            Ok(rows) => (rows, None),
            Err(Stop::Client(lost)) => return Err(lost),
            Err(Stop::Shard) => (0, None),
            Err(Stop::Refused(wrong)) => (0, Some(wrong)),
            Err(Stop::Interrupted(why)) => (0, Some(interrupt_error(why))),
        };
        scatter.kill().await;
        let Ended {
            diagnostics,
            wrong: refused,
            left,
            tablet,
        } = self.put_back_all(scatter, answering).await;
        let stalled = self.stall.is_some();
        if stalled && wrong.is_none() {
            return Ok(Done::Failed);
        }
        self.stall = None;
        if self.autocommit() {
            self.branches.transaction.characteristics.clear();
        }
        let wrong = match (wrong, refused) {
            (Some(own), _) if stalled => Some(own),
            // Nothing else may hide from the client that its transaction is gone.
            (_, Some(lost)) if error::is_gone(&lost) => Some(lost),
            (own, refused) => own.or(refused),
        };
        let concluded = match tablet {
            Some(tablet) => self.conclude(left, wrong.is_none(), &tablet).await,
            None => Ok(()),
        };
        self.diagnostics = diagnostics;
        self.row_count = -1;
        let wrong = match (wrong, concluded) {
            // Only a lost connection tells a client that its transaction is gone.
            (Some(wrong), Err(lost)) if left == Left::Lost => Some(SqlError {
                message: [&wrong.message[..], b"; the transaction is lost"].concat().into(),
                ..lost
            }),
            (Some(wrong), _) => Some(wrong),
            (None, concluded) => concluded.err(),
        };
        match wrong {
            Some(wrong) => {
                if !self.diagnostics.iter().any(|known| known.code == wrong.code) {
                    self.diagnostics = vec![Condition::from(&wrong)];
                }
                self.out.error(&wrong);
                Ok(Done::Failed)
            }
            None => {
                self.found_rows = rows;
                let status = self.status();
                self.out.end(status, warning_count(&self.diagnostics));
                Ok(Done::Answered)
            }
        }
    }

    /// Takes a connection to each shard, and adds the statement to what each sends.
    async fn ask_each(
        &mut self,
        cluster: &Cluster,
        plan: &Plan,
        route: &Route,
        merge: &Merge,
        shards: &[ShardIndex],
        input: &Input<'_>,
    ) -> SqlResult<Scatter> {
        if let Some(name) = plan.effects.user_vars_written.first() {
            return Err(error::unsupported(format_args!(
                "@{name} := .. on several shards"
            )));
        }
        let (text, order) = self.render(&merge.query, input, None)?;
        let needs = Needs {
            user_variables: !plan.effects.user_vars_read.is_empty(),
            primary: plan.effects.locking_read,
            tables: true,
            once: plan.effects.not_repeatable,
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
        match input.protocol {
            Protocol::Text => {
                for lease in &mut leases {
                    lease.branch.conn.push_query(&text);
                }
            }
            Protocol::Binary(execution) => {
                let bound = execution.bind(&text, Some(&order));
                let mut ready = Vec::with_capacity(leases.len());
                for at in 0..leases.len() {
                    let Some(lease) = leases.get_mut(at) else { continue };
                    match self.prepare_bound(lease, &bound).await {
                        Ok(statement) => ready.push(statement),
                        Err(wrong) => return Err(self.fall_back(leases, at, wrong).await),
                    }
                }
                for (lease, statement) in leases.iter_mut().zip(ready) {
                    bound.push(lease, statement)?;
                }
            }
        }
        Ok(Scatter::new(leases.into_iter().map(Source::new).collect()))
    }

    /// Reads the shards' rows and sends the merged ones; the packet at the end is left to the caller. Returns how many rows were sent.
    async fn send_merged(
        &mut self,
        scatter: &mut Scatter,
        merge: &Merge,
        input: &Input<'_>,
    ) -> Result<u64, Stop> {
        let columns: Vec<Column> = match scatter.sources.first() {
            Some(source) => source.reader().columns().to_vec(),
            None => return Err(Stop::Refused(error::internal("no shard was asked"))),
        };
        let same = |source: &Source| source.reader().columns().len() == columns.len();
        if !scatter.sources.iter().all(same) {
            return Err(Stop::Refused(error::internal("shards with different columns")));
        }
        let infos: Vec<ColumnInfo> = columns.iter().map(column_info).collect();
        let bindings = self.bindings(input);
        let bytes_max = self.worker.shared.config.result_bytes_max;
        let mut merger = Merger::new(merge, &infos, &bindings, bytes_max).map_err(Stop::Refused)?;
        let binary = matches!(input.protocol, Protocol::Binary(_));
        let mut sender = Sender {
            columns: columns.get(..merger.visible()).unwrap_or_default(),
            binary,
            rows: 0,
        };
        sender.head(self)?;
        let decode = |packet: &[u8]| row_of(&columns, packet, binary).map_err(Stop::Refused);
        match merger.way() {
            Way::Forward => {
                while let Some((_, packet)) = scatter.next(&self.control).await? {
                    if merger.admits() {
                        sender.packet(self, &packet).await?;
                    }
                }
            }
            Way::Filter => {
                while let Some((_, packet)) = scatter.next(&self.control).await? {
                    let row = decode(&packet)?;
                    if merger.keeps(&row).map_err(Stop::Refused)? {
                        sender.row(self, &row).await?;
                    }
                }
            }
            Way::Ordered => {
                // The shards' next rows, the least one last.
                let mut heads: Vec<(usize, Row)> = Vec::with_capacity(scatter.sources.len());
                let mut wanted: Vec<usize> = (0..scatter.sources.len()).rev().collect();
                loop {
                    while let Some(at) = wanted.pop() {
                        let Some(packet) = scatter.next_of(at, &self.control).await? else {
                            continue;
                        };
                        let row = decode(&packet)?;
                        let place = heads.partition_point(|(_, head)| merger.compare(head, &row).is_gt());
                        heads.insert(place, (at, row));
                    }
                    let Some((at, row)) = heads.pop() else { break };
                    if merger.keeps(&row).map_err(Stop::Refused)? {
                        sender.row(self, &row).await?;
                    }
                    wanted.push(at);
                }
            }
            Way::Groups => {
                while let Some((_, packet)) = scatter.next(&self.control).await? {
                    merger.collect(decode(&packet)?).map_err(Stop::Refused)?;
                }
                for row in merger.finish().map_err(Stop::Refused)? {
                    sender.row(self, &row).await?;
                }
            }
        }
        Ok(sender.rows)
    }

    /// Returns or keeps the connections of a read whose answers were read to their ends. `answering` says that the client has a part of its
    /// answer.
    async fn put_back_all(&mut self, scatter: Scatter, answering: bool) -> Ended {
        let mut ended = Ended {
            diagnostics: Diagnostics::new(),
            wrong: None,
            left: Left::AsItWas,
            tablet: None,
        };
        let mut lost: Option<(Lease, SqlError)> = None;
        for source in scatter.sources {
            let stage = source.stage(answering);
            let Source {
                mut lease,
                end,
                killed,
                ..
            } = source;
            lease.stage = stage;
            let target = lease.branch.conn.target.clone();
            let open = self
                .status()
                .with(StatusFlags::IN_TRANS, lease.branch.in_transaction);
            let (status, conditions, wrong) = match settle(&mut lease, end, killed).await {
                Ok(settled) => (settled.status.unwrap_or(open), settled.conditions, settled.wrong),
                Err(wrong) => {
                    lease.branch.conn.begin_exchange();
                    (open, Diagnostics::new(), Some(wrong))
                }
            };
            if let Some(wrong) = &wrong
                && error::is_gone(wrong)
                && (!lease.branch.conn.is_clean() || lease.was_turned_away(wrong, self.autocommit()))
            {
                // The one that the session cannot go on without tells most.
                if lost.as_ref().is_none_or(|(known, _)| !known.bound) {
                    lost = Some((lease, wrong.clone()));
                } else {
                    lease.branch.discard();
                }
                continue;
            }
            if ended.wrong.is_none() {
                if wrong.is_some() {
                    ended.diagnostics.clear();
                }
                ended.diagnostics.extend(conditions);
                ended.wrong = wrong;
            }
            let left = self.branches.put(lease.branch, status);
            if left > ended.left {
                (ended.left, ended.tablet) = (left, Some(target));
            }
        }
        if let Some((lease, wrong)) = lost
            && (lease.bound || ended.wrong.is_none())
        {
            ended.diagnostics.clear();
            ended.wrong = Some(self.gone(lease, wrong));
        }
        ended
    }
}

/// What a read over several shards came to.
struct Ended {
    /// The shards' warnings, or those of the first one that failed.
    diagnostics: Diagnostics,
    /// The first error.
    wrong: Option<SqlError>,
    /// What is left of the transaction.
    left: Left,
    /// The tablet where that was seen.
    tablet: Option<Arc<TabletTarget>>,
}

/// What a connection has to say after its answer.
struct Settled {
    /// Its status, where it is known.
    status: Option<StatusFlags>,
    conditions: Diagnostics,
    wrong: Option<SqlError>,
}

/// Asks a connection for what its answer did not tell. An error means that the connection is lost.
async fn settle(lease: &mut Lease, end: Option<End>, killed: bool) -> SqlResult<Settled> {
    let conn = &mut lease.branch.conn;
    let (status, warned, wrong) = match end {
        Some(End::Rows { status, warnings }) => (Some(status), warnings > 0, None),
        // An error packet has no status, and MySQL may have rolled back more than the statement.
        Some(End::Refused(wrong)) => (None, true, Some(wrong)),
        Some(End::Lost(lost)) => return Err(conn.lost(lost)),
        None => return Err(error::connection_lost(&conn.target)),
    };
    let mut settled = Settled {
        status,
        conditions: Diagnostics::new(),
        wrong,
    };
    if !conn.is_clean() {
        return Ok(settled);
    }
    if warned {
        let (conditions, status) = warnings_and_status(conn).await?;
        (settled.conditions, settled.status) = (conditions, Some(status));
    }
    if killed {
        take_late_kill(conn).await;
    }
    Ok(settled)
}

/// Rows on their way to the client.
struct Sender<'s> {
    columns: &'s [Column],
    binary: bool,
    rows: u64,
}

impl Sender<'_> {
    fn head(&self, session: &mut Session) -> Result<(), Stop> {
        let definitions: Result<Vec<ColumnDefinition<'_>>, _> = self
            .columns
            .iter()
            .map(|column| ColumnDefinition::decode(&column.definition))
            .collect();
        let definitions = definitions.map_err(|wrong| Stop::Refused(error::internal(wrong)))?;
        let status = session.status();
        session.out.columns(definitions.into_iter(), status);
        Ok(())
    }

    /// A row packet as it came.
    async fn packet(&mut self, session: &mut Session, packet: &[u8]) -> Result<(), Stop> {
        session.out.payload(packet);
        self.sent(session).await
    }

    /// A row's visible cells.
    async fn row(&mut self, session: &mut Session, row: &Row) -> Result<(), Stop> {
        let cells = (0..self.columns.len()).map(|column| row.cell(column));
        if self.binary {
            session
                .out
                .binary_cells(self.columns, cells)
                .map_err(Stop::Refused)?;
        } else {
            session.out.text_row(cells);
        }
        self.sent(session).await
    }

    async fn sent(&mut self, session: &mut Session) -> Result<(), Stop> {
        self.rows += 1;
        if session.out.buffer.len() < CHUNK {
            return Ok(());
        }
        let chunk = session.out.buffer.split();
        session.client.stream.send_raw(&chunk).await.map_err(Stop::Client)
    }
}

fn column_info(column: &Column) -> ColumnInfo {
    ColumnInfo::new(column.format.ty.byte(), column.collation, column.format.decimals)
}

/// A row packet's cells as text.
fn row_of(columns: &[Column], packet: &[u8], binary: bool) -> SqlResult<Row> {
    if !binary {
        return Row::from_packet(packet, columns.len()).ok_or_else(|| error::internal("a malformed row"));
    }
    let formats: Vec<_> = columns.iter().map(|column| column.format).collect();
    let cells = binary::decode_row(&formats, packet).and_then(|values| {
        let cells = formats.iter().zip(&values);
        cells
            .map(|(format, value)| value_to_exact_text(format, value))
            .collect::<Result<Vec<Option<Vec<u8>>>, ValueError>>()
    });
    let cells = cells.map_err(error::internal)?;
    Ok(Row::from_cells(cells.iter().map(|cell| cell.as_deref())))
}
