//! DATE, DATETIME, TIMESTAMP and TIME: parts, text and packed form.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::io::Write;

use crate::error::DecodeError;
use crate::packet::{Reader, Writer};

/// Microseconds of a second, less one.
const MAX_MICROS: u32 = 999_999;
/// Most digits that a fraction of a second has.
const MAX_FRACTION_DIGITS: u8 = 6;

/// A calendar date. Parts may be zero (`0000-00-00`, `2026-00-00`), as MySQL allows by sql_mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Date {
    /// 0 to 9999.
    pub year: u16,
    /// 0 to 12.
    pub month: u8,
    /// 0 to 31.
    pub day: u8,
}

/// A date with a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DateTime {
    /// The date.
    pub date: Date,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// Microseconds, 0 to 999,999.
    pub micros: u32,
    /// Offset from UTC in minutes, which only parameters can have.
    pub offset_minutes: Option<i16>,
}

/// A duration or time of day, up to 838 hours either way in MySQL's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Time {
    /// Whether the duration is negative; never set on zero by the decoders here.
    pub negative: bool,
    /// Whole hours, days included.
    pub hours: u32,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// Microseconds, 0 to 999,999.
    pub micros: u32,
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = |t: &Self| (t.hours, t.minute, t.second, t.micros);
        match (self.negative, other.negative) {
            (false, false) => size(self).cmp(&size(other)),
            (true, true) => size(other).cmp(&size(self)),
            (negative, _) => {
                if negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        }
    }
}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Date {
    /// Appends `YYYY-MM-DD`.
    pub fn write_text(&self, out: &mut impl Write) {
        let _ = write!(out, "{:04}-{:02}-{:02}", self.year, self.month, self.day);
    }

    /// Reads `YYYY-MM-DD`.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut rest = text;
        let date = Self::take(&mut rest)?;
        rest.is_empty().then_some(date)
    }

    fn take(rest: &mut &[u8]) -> Option<Self> {
        let year = u16::try_from(take_digits(rest, 4, 4)?).ok()?;
        take_byte(rest, b'-')?;
        let month = take_small(rest, 12)?;
        take_byte(rest, b'-')?;
        Some(Self {
            year,
            month,
            day: take_small(rest, 31)?,
        })
    }

    /// Appends the binary form: a length byte and up to four bytes.
    pub fn write_binary(&self, out: &mut Writer<'_>) {
        DateTime {
            date: *self,
            ..DateTime::default()
        }
        .write_binary(out);
    }

    /// Reads the binary form; a time of day, if there is one, is dropped.
    pub fn read_binary(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        DateTime::read_binary(reader).map(|t| t.date)
    }
}

impl DateTime {
    /// Appends `YYYY-MM-DD hh:mm:ss` with `decimals` digits of the second's fraction; more than 6 stand for "if
    /// there is a fraction, all six digits".
    pub fn write_text(&self, out: &mut impl Write, decimals: u8) {
        self.date.write_text(out);
        let _ = write!(out, " {:02}:{:02}:{:02}", self.hour, self.minute, self.second);
        write_fraction(out, self.micros, decimals);
        if let Some(offset) = self.offset_minutes {
            let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
            let _ = write!(out, "{sign}{:02}:{:02}", minutes / 60, minutes % 60);
        }
    }

    /// Reads `YYYY-MM-DD hh:mm:ss`, with or without a fraction of up to six digits.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut rest = text;
        let date = Date::take(&mut rest)?;
        take_byte(&mut rest, b' ')?;
        let hour = take_small(&mut rest, 23)?;
        take_byte(&mut rest, b':')?;
        let minute = take_small(&mut rest, 59)?;
        take_byte(&mut rest, b':')?;
        let second = take_small(&mut rest, 59)?;
        let micros = take_fraction(&mut rest)?;
        rest.is_empty().then_some(Self {
            date,
            hour,
            minute,
            second,
            micros,
            offset_minutes: None,
        })
    }

    /// Appends the binary form: a length byte and as few bytes as hold the value.
    pub fn write_binary(&self, out: &mut Writer<'_>) {
        let len = match self {
            Self {
                offset_minutes: Some(_),
                ..
            } => 13,
            Self { micros: 1.., .. } => 11,
            Self {
                hour: 0,
                minute: 0,
                second: 0,
                ..
            } if self.date == Date::default() => 0,
            Self {
                hour: 0,
                minute: 0,
                second: 0,
                ..
            } => 4,
            _ => 7,
        };
        out.int1(len);
        if len >= 4 {
            out.int2(self.date.year);
            out.bytes(&[self.date.month, self.date.day]);
        }
        if len >= 7 {
            out.bytes(&[self.hour, self.minute, self.second]);
        }
        if len >= 11 {
            out.int4(self.micros);
        }
        if let Some(offset) = self.offset_minutes {
            out.bytes(&offset.to_le_bytes());
        }
    }

    /// Reads the binary form: 0, 4, 7 or 11 bytes, or 13 with an offset.
    pub fn read_binary(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let len = reader.int1()?;
        let mut value = Self::default();
        if !matches!(len, 0 | 4 | 7 | 11 | 13) {
            return Err(DecodeError::Invalid {
                what: "length of a date",
                value: u64::from(len),
            });
        }
        if len >= 4 {
            value.date.year = reader.int2()?;
            [value.date.month, value.date.day] = reader.array()?;
        }
        if len >= 7 {
            [value.hour, value.minute, value.second] = reader.array()?;
        }
        if len >= 11 {
            value.micros = read_micros(reader)?;
        }
        if len == 13 {
            value.offset_minutes = Some(i16::from_le_bytes(reader.array()?));
        }
        Ok(value)
    }
}

impl Time {
    /// Appends `[-]hh:mm:ss` with `decimals` digits of the second's fraction; more than 6 stand for "if there is a
    /// fraction, all six digits".
    pub fn write_text(&self, out: &mut impl Write, decimals: u8) {
        let sign = if self.negative { "-" } else { "" };
        let _ = write!(
            out,
            "{sign}{:02}:{:02}:{:02}",
            self.hours, self.minute, self.second
        );
        write_fraction(out, self.micros, decimals);
    }

    /// Reads `[-]hh:mm:ss` with two or more digits of hours, with or without a fraction of up to six digits.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (negative, mut rest) = match text.strip_prefix(b"-") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let hours = take_digits(&mut rest, 2, 9)?;
        take_byte(&mut rest, b':')?;
        let minute = take_small(&mut rest, 59)?;
        take_byte(&mut rest, b':')?;
        let second = take_small(&mut rest, 59)?;
        let micros = take_fraction(&mut rest)?;
        rest.is_empty().then_some(
            Self {
                negative,
                hours,
                minute,
                second,
                micros,
            }
            .normal(),
        )
    }

    /// Appends the binary form: a length byte and as few bytes as hold the value.
    pub fn write_binary(&self, out: &mut Writer<'_>) {
        let len = match self {
            Self { micros: 1.., .. } => 12,
            Self {
                hours: 0,
                minute: 0,
                second: 0,
                ..
            } => 0,
            _ => 8,
        };
        out.int1(len);
        if len >= 8 {
            out.int1(u8::from(self.negative));
            out.int4(self.hours / 24);
            let [hour_of_day, ..] = (self.hours % 24).to_le_bytes();
            out.bytes(&[hour_of_day, self.minute, self.second]);
        }
        if len == 12 {
            out.int4(self.micros);
        }
    }

    /// Reads the binary form: 0, 8 or 12 bytes.
    pub fn read_binary(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let len = reader.int1()?;
        let mut value = Self::default();
        if !matches!(len, 0 | 8 | 12) {
            return Err(DecodeError::Invalid {
                what: "length of a time",
                value: u64::from(len),
            });
        }
        if len >= 8 {
            value.negative = reader.int1()? != 0;
            let days = reader.int4()?;
            let hour;
            [hour, value.minute, value.second] = reader.array()?;
            let too_long = DecodeError::Invalid {
                what: "days of a time",
                value: u64::from(days),
            };
            value.hours = days
                .checked_mul(24)
                .and_then(|h| h.checked_add(u32::from(hour)))
                .ok_or(too_long)?;
        }
        if len == 12 {
            value.micros = read_micros(reader)?;
        }
        Ok(value.normal())
    }

    /// MySQL has no negative zero.
    fn normal(self) -> Self {
        let zero = Self {
            negative: true,
            ..Self::default()
        };
        if self == zero { Self::default() } else { self }
    }
}

fn write_fraction(out: &mut impl Write, micros: u32, decimals: u8) {
    let decimals = match decimals {
        0 => return,
        1..=MAX_FRACTION_DIGITS => decimals,
        _ if micros == 0 => return,
        _ => MAX_FRACTION_DIGITS,
    };
    let dropped = u32::from(MAX_FRACTION_DIGITS - decimals);
    let _ = write!(
        out,
        ".{:01$}",
        micros / 10_u32.pow(dropped),
        usize::from(decimals)
    );
}

fn read_micros(reader: &mut Reader<'_>) -> Result<u32, DecodeError> {
    let micros = reader.int4()?;
    if micros > MAX_MICROS {
        return Err(DecodeError::Invalid {
            what: "microseconds",
            value: u64::from(micros),
        });
    }
    Ok(micros)
}

/// Takes between `least` and `most` ASCII digits (at most 9).
fn take_digits(rest: &mut &[u8], least: usize, most: usize) -> Option<u32> {
    let len = rest.iter().take(most).take_while(|b| b.is_ascii_digit()).count();
    if len < least {
        return None;
    }
    let (digits, after) = rest.split_at(len);
    *rest = after;
    Some(digits.iter().fold(0, |n, digit| n * 10 + u32::from(digit - b'0')))
}

fn take_small(rest: &mut &[u8], max: u8) -> Option<u8> {
    u8::try_from(take_digits(rest, 2, 2)?).ok().filter(|&n| n <= max)
}

fn take_byte(rest: &mut &[u8], byte: u8) -> Option<()> {
    *rest = rest.strip_prefix(&[byte])?;
    Some(())
}

/// Takes a fraction of one to six digits, or nothing.
fn take_fraction(rest: &mut &[u8]) -> Option<u32> {
    let Some(after) = rest.strip_prefix(b".") else {
        return Some(0);
    };
    *rest = after;
    let before = rest.len();
    let digits = take_digits(rest, 1, usize::from(MAX_FRACTION_DIGITS))?;
    let missing = u32::from(MAX_FRACTION_DIGITS) - u32::try_from(before - rest.len()).ok()?;
    Some(digits * 10_u32.pow(missing))
}
