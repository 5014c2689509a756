//! The data types of columns.

use serde::{Deserialize, Serialize};

/// A data type, as `DATA_TYPE` in information_schema names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "&'static str")]
#[expect(missing_docs, reason = "each is MySQL's type of that name")]
pub enum ColumnType {
    TinyInt,
    SmallInt,
    MediumInt,
    Int,
    BigInt,
    Decimal,
    Float,
    Double,
    Bit,
    Year,
    Date,
    Time,
    DateTime,
    Timestamp,
    Char,
    VarChar,
    TinyText,
    Text,
    MediumText,
    LongText,
    Binary,
    VarBinary,
    TinyBlob,
    Blob,
    MediumBlob,
    LongBlob,
    Enum,
    Set,
    Json,
    Geometry,
    Point,
    LineString,
    Polygon,
    MultiPoint,
    MultiLineString,
    MultiPolygon,
    GeomCollection,
    Vector,
    /// A type that this version does not know: nothing routes by it.
    #[default]
    Other,
}

/// What kind of value a column holds, as far as comparing and converting go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TypeClass {
    /// TINYINT to BIGINT.
    Integer,
    /// DECIMAL.
    Decimal,
    /// FLOAT and DOUBLE.
    Float,
    /// BIT.
    Bit,
    /// YEAR.
    Year,
    /// DATE, TIME, DATETIME, TIMESTAMP.
    Temporal,
    /// Characters with a collation: CHAR, VARCHAR, the TEXT types.
    Text,
    /// Bytes: BINARY, VARBINARY, the BLOB types, and the character types under the character set `binary`.
    Binary,
    /// ENUM.
    Enum,
    /// SET.
    Set,
    /// JSON.
    Json,
    /// The spatial types.
    Geometry,
    /// VECTOR and types unknown here.
    Other,
}

use ColumnType as T;

/// Every type with its name; the first name of a type is the one that it prints as.
const NAMES: [(&str, ColumnType); 42] = [
    ("tinyint", T::TinyInt),
    ("smallint", T::SmallInt),
    ("mediumint", T::MediumInt),
    ("int", T::Int),
    ("integer", T::Int),
    ("bigint", T::BigInt),
    ("decimal", T::Decimal),
    ("numeric", T::Decimal),
    ("float", T::Float),
    ("double", T::Double),
    ("bit", T::Bit),
    ("year", T::Year),
    ("date", T::Date),
    ("time", T::Time),
    ("datetime", T::DateTime),
    ("timestamp", T::Timestamp),
    ("char", T::Char),
    ("varchar", T::VarChar),
    ("tinytext", T::TinyText),
    ("text", T::Text),
    ("mediumtext", T::MediumText),
    ("longtext", T::LongText),
    ("binary", T::Binary),
    ("varbinary", T::VarBinary),
    ("tinyblob", T::TinyBlob),
    ("blob", T::Blob),
    ("mediumblob", T::MediumBlob),
    ("longblob", T::LongBlob),
    ("enum", T::Enum),
    ("set", T::Set),
    ("json", T::Json),
    ("geometry", T::Geometry),
    ("point", T::Point),
    ("linestring", T::LineString),
    ("polygon", T::Polygon),
    ("multipoint", T::MultiPoint),
    ("multilinestring", T::MultiLineString),
    ("multipolygon", T::MultiPolygon),
    ("geomcollection", T::GeomCollection),
    ("geometrycollection", T::GeomCollection),
    ("vector", T::Vector),
    ("other", T::Other),
];

impl ColumnType {
    /// The type that information_schema (or a vschema document, in capitals) names so; [`ColumnType::Other`] when
    /// nothing here has that name.
    pub fn from_name(name: &str) -> Self {
        NAMES
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map_or(T::Other, |(_, t)| *t)
    }

    /// The name in lower case, as information_schema has it.
    pub fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(_, t)| *t == self)
            .map_or("other", |(name, _)| name)
    }

    /// The class of values, given the column's character set.
    pub fn class(self, charset: Option<&str>) -> TypeClass {
        match self {
            T::TinyInt | T::SmallInt | T::MediumInt | T::Int | T::BigInt => TypeClass::Integer,
            T::Decimal => TypeClass::Decimal,
            T::Float | T::Double => TypeClass::Float,
            T::Bit => TypeClass::Bit,
            T::Year => TypeClass::Year,
            T::Date | T::Time | T::DateTime | T::Timestamp => TypeClass::Temporal,
            T::Char | T::VarChar | T::TinyText | T::Text | T::MediumText | T::LongText => match charset {
                Some("binary") => TypeClass::Binary,
                _ => TypeClass::Text,
            },
            T::Binary | T::VarBinary | T::TinyBlob | T::Blob | T::MediumBlob | T::LongBlob => {
                TypeClass::Binary
            }
            T::Enum => TypeClass::Enum,
            T::Set => TypeClass::Set,
            T::Json => TypeClass::Json,
            T::Geometry
            | T::Point
            | T::LineString
            | T::Polygon
            | T::MultiPoint
            | T::MultiLineString
            | T::MultiPolygon
            | T::GeomCollection => TypeClass::Geometry,
            T::Vector | T::Other => TypeClass::Other,
        }
    }

    /// The smallest and largest number that an integer type holds; None for other types.
    pub fn integer_bounds(self, unsigned: bool) -> Option<(i128, i128)> {
        let bits = match self {
            T::TinyInt => 8,
            T::SmallInt => 16,
            T::MediumInt => 24,
            T::Int => 32,
            T::BigInt => 64,
            _ => return None,
        };
        Some(match unsigned {
            true => (0, (1i128 << bits) - 1),
            false => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
        })
    }
}

impl From<String> for ColumnType {
    fn from(name: String) -> Self {
        Self::from_name(&name)
    }
}

impl From<ColumnType> for &'static str {
    fn from(data_type: ColumnType) -> Self {
        data_type.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for (name, data_type) in NAMES {
            assert_eq!(ColumnType::from_name(name), data_type);
            assert_eq!(ColumnType::from_name(data_type.name()), data_type);
        }
        assert_eq!(ColumnType::from_name("VARCHAR"), ColumnType::VarChar);
        assert_eq!(ColumnType::from_name("from the future"), ColumnType::Other);
    }

    #[test]
    fn integers_have_bounds() {
        assert_eq!(
            T::BigInt.integer_bounds(false),
            Some((i64::MIN.into(), i64::MAX.into()))
        );
        assert_eq!(T::BigInt.integer_bounds(true), Some((0, u64::MAX.into())));
        assert_eq!(T::MediumInt.integer_bounds(false), Some((-8_388_608, 8_388_607)));
        assert_eq!(T::Decimal.integer_bounds(false), None);
    }
}
