//! FLOAT and DOUBLE as MySQL prints them.
//!
//! Digits: the shortest that read back as the same DOUBLE; six significant digits for FLOAT. Notation: positional
//! for 1e-15 < |x| < 1e15 and for larger numbers that have digits behind the point, else with an exponent that has
//! neither a plus sign nor leading zeros.

use std::io::Write;

/// Position of the point (digits before it) from which integers are printed with an exponent, and the mirror below 1.
const MAX_POINT: i32 = 15;

/// Appends a DOUBLE without fixed decimals. NaN and infinity, which MySQL has no values for, are printed as `0`.
pub fn write_double(out: &mut impl Write, x: f64) {
    if x.is_finite() {
        write_digits(out, &format!("{x:e}"));
    } else {
        put(out, b"0");
    }
}

/// Appends a FLOAT without fixed decimals: six significant digits, which does not tell all FLOATs apart.
pub fn write_float(out: &mut impl Write, x: f32) {
    if x.is_finite() {
        write_digits(out, &format!("{x:.5e}"));
    } else {
        put(out, b"0");
    }
}

/// Appends `x` with exactly `decimals` digits behind the point, as columns declared `DOUBLE(m,d)` print.
pub fn write_fixed(out: &mut impl Write, x: f64, decimals: u8) {
    if x.is_finite() {
        let _ = write!(out, "{x:.0$}", usize::from(decimals));
    } else {
        put(out, b"0");
    }
}

/// Lays out the digits of a number in Rust's scientific notation (`-1.25e-7`) as MySQL does.
fn write_digits(out: &mut impl Write, scientific: &str) {
    let (sign, unsigned) = scientific
        .strip_prefix('-')
        .map_or(("", scientific), |rest| ("-", rest));
    let (mantissa, exponent) = unsigned.split_once('e').unwrap_or((unsigned, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: smallvec::SmallVec<[u8; 24]> = mantissa.bytes().filter(|&b| b != b'.').collect();
    let end = digits.iter().rposition(|&b| b != b'0').map_or(1, |last| last + 1);
    let digits = digits.get(..end).unwrap_or(b"0");
    let len = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let point = exponent + 1;

    put(out, sign.as_bytes());
    if point < 1 - MAX_POINT || (point > MAX_POINT && len <= point) {
        let (first, rest) = digits.split_at(1);
        put(out, first);
        if !rest.is_empty() {
            put(out, b".");
            put(out, rest);
        }
        let _ = write!(out, "e{exponent}");
    } else if point <= 0 {
        put(out, b"0.");
        put_zeros(out, -point);
        put(out, digits);
    } else if len <= point {
        put(out, digits);
        put_zeros(out, point - len);
    } else {
        let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0).min(digits.len()));
        put(out, whole);
        put(out, b".");
        put(out, fraction);
    }
}

fn put_zeros(out: &mut impl Write, count: i32) {
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
            (f64::MAX, "1.7976931348623157e308"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        ] {
            assert_eq!(double(x), text);
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
