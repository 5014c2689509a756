//! Definitions of tables as the tablets' agents read them from information_schema: pure data that the planner and
//! the gateway share.

mod column_type;

use serde::{Deserialize, Serialize};

pub use column_type::{ColumnType, TypeClass};

/// One table or view of the keyspace's database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDef {
    /// The name as MySQL keeps it.
    pub name: String,
    /// True for a view.
    #[serde(default)]
    pub is_view: bool,
    /// The storage engine; empty for a view.
    #[serde(default)]
    pub engine: String,
    /// The default character set of the table; empty for a view.
    #[serde(default)]
    pub charset: String,
    /// The default collation of the table; empty for a view.
    #[serde(default)]
    pub collation: String,
    /// The columns in the order of their ordinals.
    #[serde(default)]
    pub columns: Vec<ColumnDef>,
    /// The primary key first, then the others in the order of their names.
    #[serde(default)]
    pub keys: Vec<KeyDef>,
}

/// One column of a table or view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnDef {
    /// The name as MySQL keeps it; MySQL compares column names without case.
    pub name: String,
    /// Its place in the table, from 1.
    pub ordinal: u32,
    /// The data type.
    pub data_type: ColumnType,
    /// The type as SHOW CREATE TABLE writes it, as in `decimal(10,2) unsigned`.
    pub column_type: String,
    /// The number is UNSIGNED.
    #[serde(default)]
    pub unsigned: bool,
    /// The number is ZEROFILL.
    #[serde(default)]
    pub zerofill: bool,
    /// The length of a string in characters, or of a binary one in bytes.
    #[serde(default)]
    pub char_length: Option<u64>,
    /// Digits of a DECIMAL, bits of a BIT column.
    #[serde(default)]
    pub precision: Option<u32>,
    /// Digits after the point.
    #[serde(default)]
    pub scale: Option<u32>,
    /// Digits of a fraction of a second.
    #[serde(default)]
    pub fsp: Option<u32>,
    /// The character set; None for what holds no characters.
    #[serde(default)]
    pub charset: Option<String>,
    /// The collation; None for what holds no characters.
    #[serde(default)]
    pub collation: Option<String>,
    /// The pad attribute of the collation; None for what holds no characters.
    #[serde(default)]
    pub pad: Option<Pad>,
    /// The column takes NULL.
    #[serde(default)]
    pub nullable: bool,
    /// The default.
    #[serde(default)]
    pub default: DefaultValue,
    /// The column is AUTO_INCREMENT.
    #[serde(default)]
    pub auto_increment: bool,
    /// The column has ON UPDATE CURRENT_TIMESTAMP.
    #[serde(default)]
    pub on_update_now: bool,
    /// How the column is generated, if it is.
    #[serde(default)]
    pub generated: Option<Generated>,
    /// `SELECT *` leaves the column out.
    #[serde(default)]
    pub invisible: bool,
    /// The values of an ENUM or SET column in order.
    #[serde(default)]
    pub values: Vec<String>,
}

/// Whether a collation ignores trailing spaces in comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pad {
    /// `PAD SPACE`: 'a' equals 'a '.
    Space,
    /// `NO PAD`: trailing spaces count.
    None,
}

/// What a column takes when an INSERT does not name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DefaultValue {
    /// No default: NULL when the column is nullable, else an error or the implicit one of the type.
    #[default]
    None,
    /// A constant, as its text.
    Literal(String),
    /// An expression (`EXTRA` says DEFAULT_GENERATED, CURRENT_TIMESTAMP included), as its text.
    Expression(String),
}

/// A generated column's kind and expression.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generated {
    /// True for STORED, false for VIRTUAL.
    pub stored: bool,
    /// The expression's text.
    pub expression: String,
}

/// One key of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyDef {
    /// The name; `PRIMARY` for the primary key.
    pub name: String,
    /// It is the primary key.
    #[serde(default)]
    pub primary: bool,
    /// No two rows have equal values (the primary key included).
    #[serde(default)]
    pub unique: bool,
    /// The optimizer may use it.
    #[serde(default = "yes")]
    pub visible: bool,
    /// What it is made of, in order.
    #[serde(default)]
    pub parts: Vec<KeyPart>,
}

/// A column or expression within a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPart {
    /// The column; None for a functional key part.
    #[serde(default)]
    pub column: Option<String>,
    /// Only so many leading characters (or bytes of a binary column) are in the key.
    #[serde(default)]
    pub prefix: Option<u32>,
    /// The expression of a functional key part.
    #[serde(default)]
    pub expression: Option<String>,
}

fn yes() -> bool {
    true
}

impl TableDef {
    /// The column of that name; MySQL ignores case here.
    pub fn column(&self, name: &str) -> Option<&ColumnDef> {
        self.columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The place in [`TableDef::columns`] of the column of that name.
    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.columns
            .iter()
            .position(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The columns that `SELECT *` shows.
    pub fn visible_columns(&self) -> impl Iterator<Item = &ColumnDef> {
        self.columns.iter().filter(|column| !column.invisible)
    }

    /// The primary key.
    pub fn primary_key(&self) -> Option<&KeyDef> {
        self.keys.iter().find(|key| key.primary)
    }

    /// The column that MySQL numbers itself.
    pub fn auto_increment(&self) -> Option<&ColumnDef> {
        self.columns.iter().find(|column| column.auto_increment)
    }
}

impl ColumnDef {
    /// The class of values that the column holds.
    pub fn class(&self) -> TypeClass {
        self.data_type.class(self.charset.as_deref())
    }

    /// True when the column holds text whose comparison takes different characters for equal (case, accents),
    /// trailing spaces aside.
    pub fn folds(&self) -> bool {
        let bytewise = |name: &str| name == "binary" || name.ends_with("_bin");
        self.class() == TypeClass::Text && !self.collation.as_deref().is_some_and(bytewise)
    }
}
