//! Walks into statements.

use std::ops::ControlFlow;

use super::expr::walk_order_by;
use super::query::{walk_condition, walk_limit, walk_with};
use super::{Visit, each};
use crate::ast::{
    AlterKind, ColumnDef, Ddl, Explain, Insert, InsertSource, KeyDef, KeyPart, Prepared, SetKind, ShowFilter,
    Statement, StatementKind,
};

/// Visits the parts of a statement.
pub fn walk_statement<'a, V: Visit<'a> + ?Sized>(
    v: &mut V,
    statement: &Statement<'a>,
) -> ControlFlow<V::Break> {
    match &statement.kind {
        StatementKind::Query(query) => v.query(query),
        StatementKind::Insert(insert) => walk_insert(v, insert),
        StatementKind::Update(update) => {
            walk_with(v, update.with.as_ref())?;
            each(&update.tables, |table| v.table(table))?;
            each(&update.assignments, |assignment| v.assignment(assignment))?;
            walk_condition(v, update.where_clause.as_ref())?;
            walk_order_by(v, update.order_by.as_ref())?;
            walk_limit(v, update.limit.as_ref())
        }
        StatementKind::Delete(delete) => {
            walk_with(v, delete.with.as_ref())?;
            each(&delete.tables, |table| v.table(table))?;
            walk_condition(v, delete.where_clause.as_ref())?;
            walk_order_by(v, delete.order_by.as_ref())?;
            walk_limit(v, delete.limit.as_ref())
        }
        StatementKind::Call(call) => each(&call.args, |arg| v.expr(arg)),
        StatementKind::Do(exprs) => each(exprs, |expr| v.expr(expr)),
        StatementKind::Set(set) => each(&set.items, |item| match &item.kind {
            SetKind::UserVar { value, .. } | SetKind::SysVar { value, .. } => v.expr(value),
            _ => ControlFlow::Continue(()),
        }),
        StatementKind::Show(show) => {
            if let ShowFilter::Where(expr) = &show.filter {
                v.expr(expr)?;
            }
            walk_limit(v, show.limit.as_ref())
        }
        StatementKind::Explain(explain) => match explain.as_ref() {
            Explain::Statement { statement, .. } | Explain::Vitrail { statement, .. } => {
                v.statement(statement)
            }
            Explain::Table { .. } | Explain::Connection => ControlFlow::Continue(()),
        },
        StatementKind::Ddl(ddl) => walk_ddl(v, ddl),
        StatementKind::Kill(kill) => v.expr(&kill.id),
        StatementKind::Prepared(prepared) => match prepared.as_ref() {
            Prepared::Prepare { source, .. } => v.expr(source),
            Prepared::Execute { using, .. } => each(using, |variable| v.expr(variable)),
            Prepared::Deallocate { .. } => ControlFlow::Continue(()),
        },
        StatementKind::Empty
        | StatementKind::LoadData(_)
        | StatementKind::Use(_)
        | StatementKind::Transaction(_)
        | StatementKind::LockTables(_)
        | StatementKind::UnlockTables
        | StatementKind::TableAdmin(_)
        | StatementKind::Other(_) => ControlFlow::Continue(()),
    }
}

fn walk_insert<'a, V: Visit<'a> + ?Sized>(v: &mut V, insert: &Insert<'a>) -> ControlFlow<V::Break> {
    match &insert.source {
        InsertSource::Values { rows, .. } => each(rows, |row| each(&row.values, |value| v.expr(value)))?,
        InsertSource::Set { assignments, .. } => each(assignments, |assignment| v.assignment(assignment))?,
        InsertSource::Query(query) => v.query(query)?,
    }
    each(
        insert.on_duplicate.iter().flat_map(|clause| &clause.assignments),
        |assignment| v.assignment(assignment),
    )
}

fn walk_ddl<'a, V: Visit<'a> + ?Sized>(v: &mut V, ddl: &Ddl<'a>) -> ControlFlow<V::Break> {
    match ddl {
        Ddl::CreateTable(create) => {
            each(&create.columns, |column| walk_column(v, column))?;
            each(&create.keys, |key| walk_key(v, key))?;
            each(&create.query, |query| v.query(query))
        }
        Ddl::AlterTable(alter) => each(&alter.actions, |action| match &action.kind {
            AlterKind::AddColumns(columns) => each(columns, |column| walk_column(v, column)),
            AlterKind::ModifyColumn(column) | AlterKind::ChangeColumn(_, column) => walk_column(v, column),
            AlterKind::AddKey(key) => walk_key(v, key),
            _ => ControlFlow::Continue(()),
        }),
        Ddl::CreateIndex(create) => walk_parts(v, &create.parts),
        Ddl::CreateView(create) => v.query(&create.query),
        _ => ControlFlow::Continue(()),
    }
}

fn walk_column<'a, V: Visit<'a> + ?Sized>(v: &mut V, column: &ColumnDef<'a>) -> ControlFlow<V::Break> {
    each(&column.generated, |expr| v.expr(expr))?;
    each(&column.default, |expr| v.expr(expr))
}

fn walk_key<'a, V: Visit<'a> + ?Sized>(v: &mut V, key: &KeyDef<'a>) -> ControlFlow<V::Break> {
    walk_parts(v, &key.parts)?;
    each(&key.check, |expr| v.expr(expr))
}

fn walk_parts<'a, V: Visit<'a> + ?Sized>(v: &mut V, parts: &[KeyPart<'a>]) -> ControlFlow<V::Break> {
    each(parts, |part| match part {
        KeyPart::Expr(expr) => v.expr(expr),
        KeyPart::Column { .. } => ControlFlow::Continue(()),
    })
}
