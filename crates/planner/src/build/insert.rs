//! INSERT and REPLACE.

use sql::ast::{Expr, ExprKind, Insert as InsertAst, InsertRow as RowAst, InsertSource, Query};
use sql::span::Span;
use vschema::keyspace::Placement;
use vschema::table::{ColumnDef, DefaultValue, TableDef};

use super::edits::Part;
use super::write::keeps_inserted;
use super::{Builder, Home};
use crate::analyze::{Analysis, Locality, bare, source_of};
use crate::catalog::{KeyspaceIndex, Table, TableVindex};
use crate::domain::{Domain, comparable};
use crate::error::PlanError;
use crate::plan::{
    Insert, InsertColumn, InsertRow, InsertRows, InsertValue, PlanNode, Route, Routing, Several, Source,
};
use crate::survey::{Found, find_table};

/// What is refused when a shard would choose the value of an AUTO_INCREMENT column.
const COUNTER: &str = "INSERT into a sharded table that leaves the AUTO_INCREMENT value to a shard";

impl<'c> Builder<'_, 'c> {
    pub(crate) fn insert(&mut self, insert: &InsertAst<'_>) -> Result<PlanNode, PlanError> {
        let index = match self.home()? {
            Home::Nowhere => {
                let (keyspace, routing) = self.tableless()?;
                return self.pass(keyspace, routing);
            }
            Home::Keyspace(index) => index,
        };
        if let Some(target) = self.target(index) {
            return self.pass(index, target);
        }
        if !self.sharded(index) {
            return self.pass(index, Routing::Unsharded);
        }
        let Found::Table(_, table) = find_table(&self.ctx, &insert.table)? else {
            return Err(PlanError::unsupported("INSERT into a table that is not known"));
        };
        match &table.placement {
            Placement::Reference(_) => {
                let mut analysis = Analysis::new(self.ctx, self.slots, index);
                if let InsertSource::Query(query) = &insert.source {
                    analysis.query(query, None, None)?;
                }
                self.refuse_subqueries(table, insert)?;
                self.check_reference_counter(table, insert)?;
                self.write_reference(index, &analysis)
            }
            Placement::Pinned(id) => {
                self.refuse_subqueries(table, insert)?;
                let shard = self.keyspace(index)?.shard_of(id);
                self.pass(index, Routing::Target(shard))
            }
            Placement::Unsharded => self.pass(index, Routing::Unsharded),
            Placement::Sharded => self.insert_sharded(index, table, insert),
        }
    }

    /// Shards that number rows each for themselves would drift apart.
    fn check_reference_counter(&self, table: &Table, insert: &InsertAst<'_>) -> Result<(), PlanError> {
        let Some((def, counter)) = table
            .def
            .as_ref()
            .and_then(|def| Some((def, def.auto_increment()?)))
        else {
            return Ok(());
        };
        let names = column_names(def, insert);
        let wanted = Wanted { def, names: &names };
        let InsertValue::Position(position) = wanted.value(counter)? else {
            return Ok(());
        };
        if let InsertSource::Query(_) = insert.source {
            return Ok(());
        }
        let (rows, _) = self.rows(insert, names.len(), &[position])?;
        let InsertRows::Rows(rows) = rows else {
            return Ok(());
        };
        let given = |row: &InsertRow| {
            matches!(
                row.values.last(),
                Some(Source::Slot(_) | Source::Introduced { .. })
            )
        };
        match rows.iter().all(given) {
            true => Ok(()),
            false => Err(PlanError::unsupported(COUNTER)),
        }
    }

    /// Tables other than the inserted one have to be the same on every shard.
    fn refuse_subqueries(&self, table: &Table, insert: &InsertAst<'_>) -> Result<(), PlanError> {
        if matches!(insert.source, InsertSource::Query(_))
            && !matches!(table.placement, Placement::Sharded | Placement::Pinned(_))
        {
            return Ok(());
        }
        for mention in self.survey.mentions.iter().filter(|mention| !mention.written) {
            if let Found::Table(_, read) = mention.found
                && read.is_partitioned()
            {
                let span = (mention.span.start, mention.span.end);
                return Err(PlanError::unsupported("INSERT with a subquery on a sharded table").at(span));
            }
        }
        Ok(())
    }

    fn insert_sharded(
        &mut self,
        index: KeyspaceIndex,
        table: &'c Table,
        insert: &InsertAst<'_>,
    ) -> Result<PlanNode, PlanError> {
        let (Some(def), Some(vindex)) = (&table.def, table.vindexes.first()) else {
            return Err(PlanError::unsupported(
                "INSERT into a table whose definition is not known",
            ));
        };
        self.check_duplicate_update(vindex, insert)?;
        let names = column_names(def, insert);
        let wanted = Wanted { def, names: &names };
        if let InsertSource::Query(query) = &insert.source {
            return self.insert_select(index, vindex, &wanted, query);
        }
        self.refuse_subqueries(table, insert)?;
        let columns = vindex
            .columns
            .iter()
            .map(|column| {
                let definition = def
                    .column(&column.name)
                    .ok_or_else(|| PlanError::unknown_column(&column.name, "field list"))?;
                Ok(InsertColumn {
                    column: column.clone(),
                    value: wanted.value(definition)?,
                    default: default_of(definition),
                    nullable: definition.nullable,
                })
            })
            .collect::<Result<Box<[_]>, PlanError>>()?;
        let auto_increment = match def.auto_increment() {
            Some(column) => Some(wanted.value(column)?),
            None => None,
        };
        let positions: Vec<u16> = columns
            .iter()
            .map(|column| &column.value)
            .chain(&auto_increment)
            .filter_map(|value| match value {
                InsertValue::Position(position) => Some(*position),
                InsertValue::Same(_) => None,
            })
            .collect();
        let (rows, range) = self.rows(insert, names.len(), &positions)?;
        let mut split = None;
        if let Some(range) = range {
            let mut edits = self.edits();
            if !edits.touches(range) {
                edits.put(range, vec![Part::Rows]);
                split = Some(edits.build(self.slots)?);
            }
        }
        Ok(PlanNode::Insert(Insert {
            keyspace: index,
            table: table.name.as_str().into(),
            vindex: vindex.vindex,
            columns,
            auto_increment,
            rows,
            ignore: insert.ignore,
            query: self.template()?,
            split,
        }))
    }

    /// The rows, and the part of the text that they take when there can be several.
    fn rows(
        &self,
        insert: &InsertAst<'_>,
        width: usize,
        positions: &[u16],
    ) -> Result<(InsertRows, Option<Span>), PlanError> {
        let rows = match &insert.source {
            InsertSource::Values { rows, .. } => rows,
            InsertSource::Set { assignments, span } => {
                let values: Vec<&Expr<'_>> = assignments.iter().map(|assignment| &assignment.value).collect();
                let row = self.row(*span, &values, positions)?;
                return Ok((InsertRows::Rows(Box::new([row])), None));
            }
            InsertSource::Query(_) => return Err(PlanError::unsupported("this INSERT .. SELECT")),
        };
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Err(PlanError::unsupported("INSERT without rows"));
        };
        // `VALUES ()` stands for a row of defaults.
        let wrong = |row: &RowAst<'_>| row.values.len() != width && !row.values.is_empty();
        if let Some(row) = rows.iter().position(wrong) {
            return Err(PlanError::wrong_value_count(row + 1));
        }
        let range = Span::new(first.span.start, last.span.end);
        if let Some(slot) = self.slots.list_at(range) {
            return Ok((
                InsertRows::List {
                    slot,
                    width: width as u16,
                },
                Some(range),
            ));
        }
        let all = rows.iter().map(|row| {
            let values: Vec<&Expr<'_>> = row.values.iter().collect();
            self.row(row.span, &values, positions)
        });
        Ok((InsertRows::Rows(all.collect::<Result<_, _>>()?), Some(range)))
    }

    fn row(&self, span: Span, values: &[&Expr<'_>], positions: &[u16]) -> Result<InsertRow, PlanError> {
        let pos = |offset| {
            self.slots
                .pos(offset)
                .ok_or_else(|| PlanError::unsupported("a row within a literal"))
        };
        let length = positions.iter().max().map_or(0, |last| usize::from(*last) + 1);
        let mut sources = vec![Source::Opaque; length];
        for position in positions {
            let source = match values.get(usize::from(*position)) {
                // `VALUES ()`.
                None => Source::Default,
                Some(value) => match &bare(value).kind {
                    ExprKind::Default | ExprKind::DefaultOf(_) => Source::Default,
                    _ => source_of(self.slots, value).unwrap_or(Source::Opaque),
                },
            };
            if let Some(place) = sources.get_mut(usize::from(*position)) {
                *place = source;
            }
        }
        Ok(InsertRow {
            start: pos(span.start)?,
            end: pos(span.end)?,
            values: sources.into_boxed_slice(),
        })
    }

    fn check_duplicate_update(&self, vindex: &TableVindex, insert: &InsertAst<'_>) -> Result<(), PlanError> {
        let alias = insert.row_alias.as_ref().map(|alias| &*alias.alias.value);
        for assignment in insert.on_duplicate.iter().flat_map(|clause| &clause.assignments) {
            let name = &*assignment.column.column.value;
            let of_vindex = vindex
                .columns
                .iter()
                .any(|column| column.name.as_bytes().eq_ignore_ascii_case(name));
            if of_vindex && !keeps_inserted(assignment, alias) {
                let span = (assignment.span.start, assignment.span.end);
                let column = String::from_utf8_lossy(name);
                return Err(PlanError::unsupported(format_args!(
                    "ON DUPLICATE KEY UPDATE of vindex column '{column}'"
                ))
                .at(span));
            }
        }
        Ok(())
    }

    /// INSERT .. SELECT whose rows stay on the shard that they are read from.
    fn insert_select(
        &mut self,
        index: KeyspaceIndex,
        vindex: &TableVindex,
        wanted: &Wanted<'_>,
        query: &Query<'_>,
    ) -> Result<PlanNode, PlanError> {
        let mut analysis = Analysis::new(self.ctx, self.slots, index);
        let report = analysis.query(query, None, None)?;
        self.check_all_seen(&analysis)?;
        let moved = || {
            PlanError::unsupported(
                "INSERT .. SELECT whose rows may belong to another shard than they are read from",
            )
        };
        let root = match &report.whole {
            Locality::Rooted(root) => *root,
            Locality::Not(error) => return Err(error.clone()),
            _ => return Err(moved()),
        };
        let outputs = report.columns.as_deref().ok_or_else(moved)?;
        let source = |column: &ColumnDef| {
            let position = wanted.position(&column.name)?;
            outputs.get(position)?.origin
        };
        if let Some(counter) = wanted.def.auto_increment() {
            let given = source(counter).and_then(|node| analysis.column(node));
            if given.is_none_or(|given| given.nullable) {
                return Err(PlanError::unsupported(COUNTER));
            }
        }
        let placements = analysis.placements(root);
        let (_, targets) = placements
            .iter()
            .find(|(known, _)| *known == vindex.vindex)
            .ok_or_else(moved)?;
        for (column, target) in vindex.columns.iter().zip(targets) {
            let definition = wanted.def.column(&column.name).ok_or_else(moved)?;
            let node = source(definition)
                .filter(|node| analysis.reaches(*node, *target))
                .ok_or_else(moved)?;
            let read = analysis.column(node).ok_or_else(moved)?;
            if analysis.is_null_supplied(node)
                || !comparable(definition, read)
                || !fits(Domain::of(read), Domain::of(definition))
            {
                return Err(moved());
            }
        }
        self.check_several()?;
        let routing = analysis.union_routing();
        Ok(PlanNode::Route(Route {
            keyspace: index,
            routing,
            query: self.template()?,
            several: Several::AddCounts,
        }))
    }
}

/// Whether each value of one domain is stored unchanged in the other.
fn fits(from: Domain, to: Domain) -> bool {
    match (from, to) {
        (
            Domain::Int { bits, unsigned },
            Domain::Int {
                bits: room,
                unsigned: other,
            },
        ) => unsigned == other && bits <= room,
        (
            Domain::Text {
                length,
                fixed,
                charset,
            },
            Domain::Text {
                length: room,
                fixed: other,
                charset: to,
            },
        ) => length <= room && fixed == other && charset == to,
        (
            Domain::Bytes { length, padded },
            Domain::Bytes {
                length: room,
                padded: other,
            },
        ) => length <= room && padded == other,
        _ => false,
    }
}

/// The columns that get values, in the order of the values.
fn column_names(def: &TableDef, insert: &InsertAst<'_>) -> Vec<Vec<u8>> {
    match (&insert.source, &insert.columns) {
        (InsertSource::Set { assignments, .. }, _) => assignments
            .iter()
            .map(|assignment| assignment.column.column.value.to_vec())
            .collect(),
        (_, Some(columns)) if !columns.is_empty() => columns
            .iter()
            .map(|column| column.column.value.to_vec())
            .collect(),
        _ => def
            .visible_columns()
            .map(|column| column.name.as_bytes().to_vec())
            .collect(),
    }
}

/// The table and the columns that an INSERT names.
struct Wanted<'w> {
    def: &'w TableDef,
    names: &'w [Vec<u8>],
}

impl Wanted<'_> {
    fn position(&self, column: &str) -> Option<usize> {
        self.names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(column.as_bytes()))
    }

    /// Where a column's value comes from.
    fn value(&self, column: &ColumnDef) -> Result<InsertValue, PlanError> {
        if let Some(position) = self.position(&column.name) {
            return Ok(InsertValue::Position(position as u16));
        }
        if column.auto_increment {
            return Err(PlanError::unsupported(COUNTER));
        }
        if column.generated.is_some() || matches!(column.default, DefaultValue::Expression(_)) {
            let what = format_args!(
                "INSERT that leaves vindex column '{}' to an expression",
                column.name
            )
            .to_string();
            return Err(PlanError::unsupported(what));
        }
        default_of(column)
            .map(InsertValue::Same)
            .ok_or_else(|| PlanError::no_default(&column.name))
    }
}

/// A column's constant default.
fn default_of(column: &ColumnDef) -> Option<Source> {
    match &column.default {
        DefaultValue::Literal(text) => Some(Source::Text(text.as_str().into())),
        DefaultValue::None if column.nullable => Some(Source::Null),
        DefaultValue::None | DefaultValue::Expression(_) => None,
    }
}
