//! Reads over several shards: all are asked at once, and their rows become one result while they arrive.

use mysql_wire::StatusFlags;
use mysql_wire::client::Column;
use mysql_wire::message::ColumnDefinition;
use mysql_wire::value::convert::value_to_exact_text;
use mysql_wire::value::{ValueError, binary};
use planner::catalog::ShardIndex;
use planner::merge::{ColumnInfo, Row};
use planner::plan::{Merge, Plan, Route};

use super::Session;
use super::diagnostics::{Condition, Diagnostics, warning_count};
use super::execute::{Input, Lease, Needs, Protocol, interrupt_error};
use super::query::Done;
use super::scatter::{End, Scatter, Source, Stop};
use super::several::conditions;
use crate::cluster::Cluster;
use crate::control::Interrupt;
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
        let outcome = self.send_merged(&mut scatter, merge, input).await;
        let (rows, wrong) = match outcome {
            Ok(rows) => (rows, None),
            Err(Stop::Client(lost)) => return Err(lost),
            Err(Stop::Shard) => (0, None),
            Err(Stop::Refused(wrong)) => (0, Some(wrong)),
            Err(Stop::Interrupted(why)) => {
                if why == Interrupt::KillConnection {
                    self.branches.abandon();
                    return Ok(self.fail(interrupt_error(why)));
                }
                (0, Some(interrupt_error(why)))
            }
        };
        scatter.kill().await;
        let (diagnostics, refused) = self.put_back_all(scatter).await;
        self.transaction_deadline();
        self.diagnostics = diagnostics;
        self.row_count = -1;
        match wrong.or(refused) {
            Some(wrong) => {
                if !self.diagnostics.iter().any(|known| known.code == wrong.code) {
                    self.diagnostics = vec![Condition::from(&wrong)];
                }
                self.out.error(&wrong);
                if wrong.code == 1213 {
                    self.roll_back_after_deadlock().await;
                }
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
                for lease in &mut leases {
                    match self.prepare_bound(lease, &bound).await {
                        Ok(statement) => ready.push(statement),
                        Err(wrong) => {
                            self.return_unused(leases).await;
                            return Err(wrong);
                        }
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
        scatter.open(&self.control).await?;
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

    /// Returns or keeps the connections of a read whose answers were read to their ends. The result is what the shards have to say: their
    /// warnings, and the first error.
    async fn put_back_all(&mut self, scatter: Scatter) -> (Diagnostics, Option<mysql_wire::SqlError>) {
        let mut diagnostics = Diagnostics::new();
        let mut first_error = None;
        let mut lost = false;
        for source in scatter.sources {
            let Source {
                lease, end, killed, ..
            } = source;
            let in_transaction = lease.branch.in_transaction;
            match self.put_back_one(lease, end, killed).await {
                Ok((conditions, wrong)) => {
                    if wrong.is_some() && first_error.is_none() {
                        diagnostics.clear();
                    }
                    if first_error.is_none() {
                        diagnostics.extend(conditions);
                    }
                    first_error = first_error.or(wrong);
                }
                Err(wrong) => {
                    lost |= in_transaction || self.branches.pinned;
                    first_error.get_or_insert(wrong);
                }
            }
        }
        if lost {
            // What the lost connection held is gone; the rest of the transaction cannot stand alone.
            self.branches.abandon();
        }
        (diagnostics, first_error)
    }

    /// As [`Self::put_back_all`], for one shard; an error means that the connection is lost.
    async fn put_back_one(
        &mut self,
        mut lease: Lease,
        end: Option<End>,
        killed: bool,
    ) -> SqlResult<(Diagnostics, Option<mysql_wire::SqlError>)> {
        let conn = &mut lease.branch.conn;
        let (status, warned, wrong) = match end {
            Some(End::Rows { status, warnings }) => (status, warnings > 0, None),
            Some(End::Refused(wrong)) => (StatusFlags::empty(), true, Some(wrong)),
            Some(End::Lost(lost)) => return Err(conn.lost(lost)),
            None => return Err(error::lost_connection(&conn.target.alias)),
        };
        let mut answer = (Diagnostics::new(), wrong);
        let mut status = status;
        if conn.is_clean() && warned {
            let result = conn
                .query(b"SHOW WARNINGS")
                .await
                .map_err(|lost| conn.lost(lost))?;
            status = result.ok.status;
            answer.0 = conditions(result);
        } else if conn.is_clean() && killed {
            // The answer won the race against the kill, which must not hit the next statement.
            match conn.query(b"DO 0").await {
                Ok(_) | Err(mysql_wire::Error::Sql(_)) => {}
                Err(lost) => return Err(conn.lost(lost)),
            }
        }
        self.branches.put(lease.branch, status);
        Ok(answer)
    }
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
