//! Small pieces: interval units, cast types, introducers.

use super::{Parse, Parser};
use crate::ast::{CastKind, CastType, IntervalUnit};
use crate::keyword::Kw;
use crate::lexer::{Tok, Token};

/// MySQL's character sets, as introducers name them.
const CHARSETS: [&str; 43] = [
    "armscii8", "ascii", "big5", "binary", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866",
    "cp932", "dec8", "eucjpms", "euckr", "gb18030", "gb2312", "gbk", "geostd8", "greek", "hebrew", "hp8",
    "keybcs2", "koi8r", "koi8u", "latin1", "latin2", "latin5", "latin7", "macce", "macroman", "sjis", "swe7",
    "tis620", "ucs2", "ujis", "utf16", "utf16le", "utf32", "utf8", "utf8mb3", "utf8mb4", "filename",
];

impl<'a> Parser<'a> {
    /// Whether an unquoted word is an underscore and a character set.
    pub(super) fn is_introducer(&self, token: Token) -> bool {
        let name = token.span.of(self.text).strip_prefix(b"_");
        name.is_some_and(|name| {
            CHARSETS
                .iter()
                .any(|charset| name.eq_ignore_ascii_case(charset.as_bytes()))
        })
    }

    pub(super) fn at_interval_unit(&self) -> bool {
        unit_of(self.current.kw).is_some()
    }

    pub(super) fn interval_unit(&mut self) -> Parse<IntervalUnit> {
        match unit_of(self.current.kw) {
            Some(unit) => {
                self.bump();
                Ok(unit)
            }
            None => self.fail(),
        }
    }

    /// The target of CAST and CONVERT.
    pub(super) fn cast_type(&mut self) -> Parse<CastType<'a>> {
        let start = self.start();
        let kind = match self.current.kw {
            Kw::SIGNED => CastKind::Signed,
            Kw::UNSIGNED => CastKind::Unsigned,
            Kw::BINARY => CastKind::Binary,
            Kw::CHAR | Kw::CHARACTER => CastKind::Char,
            Kw::NCHAR | Kw::NATIONAL => CastKind::NChar,
            Kw::DATE => CastKind::Date,
            Kw::TIME => CastKind::Time,
            Kw::DATETIME => CastKind::DateTime,
            Kw::YEAR => CastKind::Year,
            Kw::DECIMAL | Kw::DEC => CastKind::Decimal,
            Kw::FLOAT => CastKind::Float,
            Kw::REAL | Kw::DOUBLE => CastKind::Double,
            Kw::JSON => CastKind::Json,
            Kw::POINT
            | Kw::LINESTRING
            | Kw::POLYGON
            | Kw::MULTIPOINT
            | Kw::MULTILINESTRING
            | Kw::MULTIPOLYGON
            | Kw::GEOMETRYCOLLECTION
            | Kw::GEOMCOLLECTION
            | Kw::GEOMETRY => CastKind::Spatial,
            _ => return self.fail(),
        };
        let first = self.bump().kw;
        match first {
            Kw::SIGNED | Kw::UNSIGNED => {
                self.eat_any(&[Kw::INT, Kw::INTEGER]);
            }
            Kw::NATIONAL if !self.at_any(&[Kw::CHAR, Kw::CHARACTER]) => return self.fail(),
            Kw::NATIONAL => {
                self.bump();
            }
            Kw::DOUBLE => {
                self.eat_kw(Kw::PRECISION);
            }
            _ => {}
        }
        let args = if self.at(Tok::LParen) {
            Some(self.skip_parens()?)
        } else {
            None
        };
        let mut charset = None;
        if kind == CastKind::Char {
            if self.eat_kw(Kw::CHARSET)
                || self.eat_kws(&[Kw::CHAR, Kw::SET])
                || self.eat_kws(&[Kw::CHARACTER, Kw::SET])
            {
                charset = Some(self.charset_name()?);
            } else if self.at_any(&[Kw::ASCII, Kw::UNICODE, Kw::BYTE]) {
                let token = self.bump();
                charset = Some(self.to_ident(token));
            }
            self.eat_kw(Kw::BINARY);
        }
        let array = self.eat_kw(Kw::ARRAY);
        Ok(CastType {
            span: self.since(start),
            kind,
            args,
            charset,
            array,
        })
    }
}

fn unit_of(kw: Kw) -> Option<IntervalUnit> {
    Some(match kw {
        Kw::MICROSECOND => IntervalUnit::Microsecond,
        Kw::SECOND | Kw::SQL_TSI_SECOND => IntervalUnit::Second,
        Kw::MINUTE | Kw::SQL_TSI_MINUTE => IntervalUnit::Minute,
        Kw::HOUR | Kw::SQL_TSI_HOUR => IntervalUnit::Hour,
        Kw::DAY | Kw::SQL_TSI_DAY => IntervalUnit::Day,
        Kw::WEEK | Kw::SQL_TSI_WEEK => IntervalUnit::Week,
        Kw::MONTH | Kw::SQL_TSI_MONTH => IntervalUnit::Month,
        Kw::QUARTER | Kw::SQL_TSI_QUARTER => IntervalUnit::Quarter,
        Kw::YEAR | Kw::SQL_TSI_YEAR => IntervalUnit::Year,
        Kw::SECOND_MICROSECOND => IntervalUnit::SecondMicrosecond,
        Kw::MINUTE_MICROSECOND => IntervalUnit::MinuteMicrosecond,
        Kw::MINUTE_SECOND => IntervalUnit::MinuteSecond,
        Kw::HOUR_MICROSECOND => IntervalUnit::HourMicrosecond,
        Kw::HOUR_SECOND => IntervalUnit::HourSecond,
        Kw::HOUR_MINUTE => IntervalUnit::HourMinute,
        Kw::DAY_MICROSECOND => IntervalUnit::DayMicrosecond,
        Kw::DAY_SECOND => IntervalUnit::DaySecond,
        Kw::DAY_MINUTE => IntervalUnit::DayMinute,
        Kw::DAY_HOUR => IntervalUnit::DayHour,
        Kw::YEAR_MONTH => IntervalUnit::YearMonth,
        _ => return None,
    })
}
