//! FLOAT and DOUBLE as MySQL prints them.
//!
//! Digits: the shortest that read back as the same DOUBLE; six significant digits for FLOAT. Notation: positional
//! for 1e-15 < |x| < 1e15 and for larger numbers that have digits behind the point, else with an exponent that has
//! neither a plus sign nor leading zeros.

use std::io::Write;

use smallvec::SmallVec;

/// Position of the point (digits before it) from which integers are printed with an exponent, and the mirror below 1.
const MAX_POINT: i32 = 15;

/// Appends a DOUBLE without fixed decimals. NaN and infinity, which MySQL has no values for, are printed as `0`.
pub fn write_double(out: &mut impl Write, x: f64) {
    if x.is_finite() {
        Digits::shortest(x).write(out);
    } else {
        put(out, b"0");
    }
}

/// Appends a FLOAT without fixed decimals: six significant digits, which does not tell all FLOATs apart.
pub fn write_float(out: &mut impl Write, x: f32) {
    if x.is_finite() {
        Digits::parse(&format!("{x:.5e}")).write(out);
    } else {
        put(out, b"0");
    }
}

/// Appends `x` with exactly `decimals` digits behind the point, as columns declared `DOUBLE(m,d)` print: the shortest
/// digits that read back as the same number, filled with zeros, or rounded when they are too many.
pub fn write_fixed(out: &mut impl Write, x: f64, decimals: u8) {
    if !x.is_finite() {
        return put(out, b"0");
    }
    let (digits, wants) = (Digits::shortest(x), usize::from(decimals));
    let has = as_count(digits.len() - digits.point);
    if has > wants {
        let _ = write!(out, "{x:.wants$}");
        return;
    }
    digits.write_positional(out);
    if wants > 0 && has == 0 {
        put(out, b".");
    }
    put_zeros(out, wants - has);
}

/// A number as significant digits and the position of the point behind the first of them.
struct Digits {
    is_negative: bool,
    digits: SmallVec<[u8; 24]>,
    point: i32,
}

impl Digits {
    /// The shortest digits that read back as `x`, and of those the nearest to it, ties to even.
    fn shortest(x: f64) -> Self {
        let shortest = format!("{x:e}");
        // Rust's own choice between two nearest ones differs.
        let decimals = shortest
            .bytes()
            .take_while(|&b| b != b'e')
            .filter(u8::is_ascii_digit)
            .count()
            .saturating_sub(1);
        let nearest = format!("{x:.decimals$e}");
        let is_same = nearest.parse().is_ok_and(|y: f64| y.to_bits() == x.to_bits());
        Self::parse(if is_same { &nearest } else { &shortest })
    }

    /// Takes a number in Rust's scientific notation (`-1.25e-7`) apart.
    fn parse(scientific: &str) -> Self {
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
        let mut digits: SmallVec<[u8; 24]> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
        while digits.len() > 1 && digits.last() == Some(&b'0') {
            digits.pop();
        }
        let exponent: i32 = exponent.parse().unwrap_or(0);
        Self {
            is_negative: scientific.starts_with('-'),
            digits,
            point: exponent + 1,
        }
    }

    fn len(&self) -> i32 {
        i32::try_from(self.digits.len()).unwrap_or(i32::MAX)
    }

    fn write(&self, out: &mut impl Write) {
        if self.point < 1 - MAX_POINT || (self.point > MAX_POINT && self.len() <= self.point) {
            self.write_exponential(out);
        } else {
            self.write_positional(out);
        }
    }

    fn write_exponential(&self, out: &mut impl Write) {
        self.write_sign(out);
        let (first, rest) = self.digits.split_at(self.digits.len().min(1));
        put(out, first);
        if !rest.is_empty() {
            put(out, b".");
            put(out, rest);
        }
        let _ = write!(out, "e{}", self.point - 1);
    }

    fn write_positional(&self, out: &mut impl Write) {
        self.write_sign(out);
        if self.point <= 0 {
            put(out, b"0.");
            put_zeros(out, as_count(-self.point));
            put(out, &self.digits);
        } else if self.len() <= self.point {
            put(out, &self.digits);
            put_zeros(out, as_count(self.point - self.len()));
        } else {
            let (whole, fraction) = self.digits.split_at(as_count(self.point).min(self.digits.len()));
            put(out, whole);
            put(out, b".");
            put(out, fraction);
        }
    }

    fn write_sign(&self, out: &mut impl Write) {
        if self.is_negative {
            put(out, b"-");
        }
    }
}

fn as_count(n: i32) -> usize {
    usize::try_from(n).unwrap_or(0)
}

fn put_zeros(out: &mut impl Write, count: usize) {
    for _ in 0..count {
        put(out, b"0");
    }
}

/// The writers used here are buffers in memory, which can't fail.
fn put(out: &mut impl Write, bytes: &[u8]) {
    let _ = out.write_all(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn double(x: f64) -> String {
        let mut out = Vec::new();
        write_double(&mut out, x);
        String::from_utf8(out).unwrap()
    }

    fn float(x: f32) -> String {
        let mut out = Vec::new();
        write_float(&mut out, x);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn notation_changes_where_mysql_changes_it() {
        for (x, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (0.1, "0.1"),
            (-123.456, "-123.456"),
            (1e14, "100000000000000"),
            (1e15, "1e15"),
            (999_999_999_999_999.0, "999999999999999"),
            (1_234_567_890_123_456.0, "1.234567890123456e15"),
            (1_234_567_890_123_456.5, "1234567890123456.5"),
            (1e-14, "0.00000000000001"),
            (1e-15, "0.000000000000001"),
            (1e-16, "1e-16"),
            (1.5e-300, "1.5e-300"),
            // Exactly between two shortest forms.
            (667_082_108_456_853.2, "667082108456853.2"),
            (f64::MAX, "1.7976931348623157e308"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        ] {
            assert_eq!(double(x), text);
        }
    }

    #[test]
    fn fixed_decimals_fill_the_shortest_digits() {
        for (x, decimals, text) in [
            (9_999_999.999_999_9, 10, "9999999.9999999000"),
            (0.125, 2, "0.12"),
            (-2.5, 0, "-2"),
            (3.0, 2, "3.00"),
            (1e22, 1, "10000000000000000000000.0"),
            (1e-20, 3, "0.000"),
        ] {
            let mut out = Vec::new();
            write_fixed(&mut out, x, decimals);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn floats_have_six_digits() {
        for (x, text) in [
            (16_777_216.0, "16777200"),
            (0.1, "0.1"),
            (1.0 / 3.0, "0.333333"),
            (3.402_823_5e38, "3.40282e38"),
            (1e-45, "1.4013e-45"),
        ] {
            assert_eq!(float(x), text);
        }
    }
}
