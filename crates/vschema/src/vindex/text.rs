//! Values as text and as numbers.

use super::VindexValue;

/// The textual bytes of a value; those of NULL are empty.
pub(super) enum Text<'a> {
    Borrowed(&'a [u8]),
    /// The digits stand at the end of the buffer, from this index on.
    Number([u8; 20], usize),
}

impl<'a> Text<'a> {
    pub(super) fn of(value: VindexValue<'a>) -> Self {
        match value {
            VindexValue::Null => Self::Borrowed(&[]),
            VindexValue::Bytes(bytes) => Self::Borrowed(bytes),
            VindexValue::UInt(value) => Self::digits(value, false),
            VindexValue::Int(value) => Self::digits(value.unsigned_abs(), value < 0),
        }
    }

    /// Writes the digits from the right: 20 bytes hold a sign and 19 digits, or 20 digits.
    fn digits(mut value: u64, negative: bool) -> Self {
        let mut buffer = [b'0'; 20];
        let mut start = buffer.len();
        for (i, place) in buffer.iter_mut().enumerate().rev() {
            *place = b'0' + (value % 10) as u8;
            value /= 10;
            start = i;
            if value == 0 {
                break;
            }
        }
        if negative && let Some(sign) = start.checked_sub(1).and_then(|i| buffer.get_mut(i)) {
            *sign = b'-';
            start -= 1;
        }
        Self::Number(buffer, start)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Number(buffer, start) => buffer.get(*start..).unwrap_or_default(),
        }
    }
}

/// The value as an unsigned number; None for NULL, negative numbers and text that is no number.
pub(super) fn number(value: VindexValue<'_>) -> Option<u64> {
    match value {
        VindexValue::Int(value) => u64::try_from(value).ok(),
        VindexValue::UInt(value) => Some(value),
        VindexValue::Bytes(text) => parse_unsigned(text),
        VindexValue::Null => None,
    }
}

/// Decimal digits without sign or spaces.
pub(super) fn parse_unsigned(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |value, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        value.checked_mul(10)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_text() {
        for value in [0, 1, 9, 10, -1, -10, i64::MAX, i64::MIN] {
            assert_eq!(
                Text::of(VindexValue::Int(value)).bytes(),
                value.to_string().as_bytes()
            );
        }
        assert_eq!(
            Text::of(VindexValue::UInt(u64::MAX)).bytes(),
            u64::MAX.to_string().as_bytes()
        );
        assert_eq!(Text::of(VindexValue::Null).bytes(), b"");
    }

    #[test]
    fn text_parses_to_numbers() {
        assert_eq!(parse_unsigned(b"18446744073709551615"), Some(u64::MAX));
        for bad in [
            &b""[..],
            b"18446744073709551616",
            b"-1",
            b"+1",
            b" 1",
            b"1.0",
            b"1e3",
            b"x",
        ] {
            assert_eq!(parse_unsigned(bad), None);
        }
    }
}
