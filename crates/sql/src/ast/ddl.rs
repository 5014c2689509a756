//! Data definition.

use super::{Expr, Ident, ObjectName, Query};
use crate::span::Span;

/// A data definition statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Ddl<'a> {
    /// `CREATE TABLE`
    CreateTable(Box<CreateTable<'a>>),
    /// `ALTER TABLE`
    AlterTable(Box<AlterTable<'a>>),
    /// `DROP TABLE`
    DropTable(DropObjects<'a>),
    /// `TRUNCATE [TABLE]`
    TruncateTable(ObjectName<'a>),
    /// `RENAME TABLE a TO b, ...`
    RenameTable(Vec<(ObjectName<'a>, ObjectName<'a>)>),
    /// `CREATE INDEX`
    CreateIndex(Box<CreateIndex<'a>>),
    /// `DROP INDEX`
    DropIndex(Box<DropIndex<'a>>),
    /// `CREATE VIEW`, `CREATE OR REPLACE VIEW`, `ALTER VIEW`
    CreateView(Box<CreateView<'a>>),
    /// `DROP VIEW`
    DropView(DropObjects<'a>),
    /// `CREATE DATABASE`
    CreateDatabase(CreateDatabase<'a>),
    /// `ALTER DATABASE`
    AlterDatabase {
        /// The schema; the default one when not written.
        name: Option<Ident<'a>>,
        /// The options.
        options: Span,
    },
    /// `DROP DATABASE`
    DropDatabase {
        /// The schema.
        name: Ident<'a>,
        /// `IF EXISTS`.
        if_exists: bool,
    },
}

/// CREATE TABLE.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTable<'a> {
    /// The statement.
    pub span: Span,
    /// `TEMPORARY`.
    pub temporary: bool,
    /// `EXTERNAL` (newer MySQL).
    pub external: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// The table.
    pub name: ObjectName<'a>,
    /// `LIKE other`, with or without parentheses.
    pub like: Option<ObjectName<'a>>,
    /// The columns.
    pub columns: Vec<ColumnDef<'a>>,
    /// Keys and constraints.
    pub keys: Vec<KeyDef<'a>>,
    /// From `(` to `)` of the definitions.
    pub definitions_span: Option<Span>,
    /// The table options (ENGINE and so on), partitioning excluded.
    pub options: Span,
    /// The partitioning clause.
    pub partitioning: Option<Span>,
    /// `IGNORE` or `REPLACE` before the query.
    pub duplicates: Option<Span>,
    /// The query that fills the table.
    pub query: Option<Query<'a>>,
}

impl CreateTable<'_> {
    /// Whether any column is AUTO_INCREMENT.
    pub fn has_auto_increment(&self) -> bool {
        self.columns.iter().any(|column| column.auto_increment)
    }
}

/// A column definition.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnDef<'a> {
    /// Name to last attribute.
    pub span: Span,
    /// The name.
    pub name: Ident<'a>,
    /// The type's text with length, UNSIGNED, character set and the like: `varchar(10) charset latin1`.
    pub type_span: Span,
    /// The attributes after the type; empty when there are none.
    pub options: Span,
    /// AUTO_INCREMENT is among the attributes (or the type is SERIAL).
    pub auto_increment: bool,
    /// `Some(true)` for NULL, `Some(false)` for NOT NULL.
    pub nullable: Option<bool>,
    /// `PRIMARY [KEY]` is among the attributes (a lone `KEY` means the same).
    pub primary: bool,
    /// `UNIQUE [KEY]` is among the attributes (or the type is SERIAL).
    pub unique: bool,
    /// `INVISIBLE` is among the attributes.
    pub invisible: bool,
    /// The expression of a generated column.
    pub generated: Option<Expr<'a>>,
    /// The default: a literal, an expression or CURRENT_TIMESTAMP.
    pub default: Option<Expr<'a>>,
    /// The table of a REFERENCES attribute.
    pub references: Option<ObjectName<'a>>,
}

/// A key or constraint.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyDef<'a> {
    /// The text.
    pub span: Span,
    /// The kind.
    pub kind: KeyKind,
    /// The constraint's name (CONSTRAINT name).
    pub constraint: Option<Ident<'a>>,
    /// The index name.
    pub name: Option<Ident<'a>>,
    /// The key parts; empty for CHECK.
    pub parts: Vec<KeyPart<'a>>,
    /// The referenced table and columns of a foreign key.
    pub references: Option<(ObjectName<'a>, Vec<Ident<'a>>)>,
    /// The expression of CHECK.
    pub check: Option<Expr<'a>>,
}

/// Kinds of keys and constraints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are MySQL's own")]
pub enum KeyKind {
    Primary,
    Unique,
    Index,
    Fulltext,
    Spatial,
    Foreign,
    Check,
}

/// A key part.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyPart<'a> {
    /// `column [(length)] [ASC|DESC]`
    Column {
        /// The column.
        name: Ident<'a>,
        /// Whether only a prefix is indexed.
        prefix: bool,
    },
    /// `(expr) [ASC|DESC]`
    Expr(Expr<'a>),
}

/// ALTER TABLE.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterTable<'a> {
    /// The statement.
    pub span: Span,
    /// The table.
    pub name: ObjectName<'a>,
    /// The comma-separated actions in order.
    pub actions: Vec<AlterAction<'a>>,
}

/// One action of ALTER TABLE.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterAction<'a> {
    /// The text.
    pub span: Span,
    /// What it does.
    pub kind: AlterKind<'a>,
}

/// What an ALTER TABLE action does.
#[derive(Clone, Debug, PartialEq)]
pub enum AlterKind<'a> {
    /// `ADD [COLUMN] a ...` or `ADD [COLUMN] (a ..., b ...)`
    AddColumns(Vec<ColumnDef<'a>>),
    /// `ADD INDEX|KEY|PRIMARY KEY|UNIQUE|FULLTEXT|SPATIAL|CONSTRAINT|FOREIGN KEY|CHECK`
    AddKey(KeyDef<'a>),
    /// `MODIFY [COLUMN] a ...`
    ModifyColumn(ColumnDef<'a>),
    /// `CHANGE [COLUMN] old a ...`
    ChangeColumn(Ident<'a>, ColumnDef<'a>),
    /// `DROP [COLUMN] a`
    DropColumn(Ident<'a>),
    /// `DROP INDEX|KEY|PRIMARY KEY|FOREIGN KEY|CHECK|CONSTRAINT`
    DropKey(KeyKind, Option<Ident<'a>>),
    /// `RENAME COLUMN a TO b`
    RenameColumn(Ident<'a>, Ident<'a>),
    /// `RENAME INDEX|KEY a TO b`
    RenameIndex(Ident<'a>, Ident<'a>),
    /// `RENAME [TO|AS] t`
    RenameTable(ObjectName<'a>),
    /// `ALTER [COLUMN] a SET|DROP ...`
    AlterColumn(Ident<'a>),
    /// ADD, DROP, TRUNCATE, COALESCE, REORGANIZE, EXCHANGE, ... PARTITION, PARTITION BY, REMOVE PARTITIONING
    Partitioning {
        /// The other table of EXCHANGE PARTITION.
        exchange_with: Option<ObjectName<'a>>,
    },
    /// `DISCARD TABLESPACE`, `IMPORT TABLESPACE`, for the table or a partition.
    Tablespace,
    /// Everything else: table options, ALGORITHM, LOCK, ORDER BY, ENABLE KEYS, FORCE, CONVERT TO.
    Option,
}

/// `DROP TABLE` or `DROP VIEW`.
#[derive(Clone, Debug, PartialEq)]
pub struct DropObjects<'a> {
    /// `TEMPORARY` (tables only).
    pub temporary: bool,
    /// `IF EXISTS`.
    pub if_exists: bool,
    /// The names.
    pub names: Vec<ObjectName<'a>>,
}

/// CREATE INDEX.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateIndex<'a> {
    /// The statement.
    pub span: Span,
    /// The index.
    pub name: Ident<'a>,
    /// The table.
    pub table: ObjectName<'a>,
    /// UNIQUE, FULLTEXT, SPATIAL or plain.
    pub kind: KeyKind,
    /// The key parts.
    pub parts: Vec<KeyPart<'a>>,
}

/// DROP INDEX.
#[derive(Clone, Debug, PartialEq)]
pub struct DropIndex<'a> {
    /// The index.
    pub name: Ident<'a>,
    /// The table.
    pub table: ObjectName<'a>,
}

/// CREATE VIEW and ALTER VIEW.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateView<'a> {
    /// The statement.
    pub span: Span,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// ALTER VIEW.
    pub alter: bool,
    /// `IF NOT EXISTS` (newer MySQL).
    pub if_not_exists: bool,
    /// ALGORITHM, DEFINER and SQL SECURITY; empty when there are none.
    pub options: Span,
    /// The view.
    pub name: ObjectName<'a>,
    /// Column names.
    pub columns: Vec<Ident<'a>>,
    /// The query.
    pub query: Query<'a>,
    /// `WITH [CASCADED|LOCAL] CHECK OPTION`.
    pub check_option: bool,
}

/// CREATE DATABASE.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateDatabase<'a> {
    /// The schema.
    pub name: Ident<'a>,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// The options; empty when there are none.
    pub options: Span,
}
