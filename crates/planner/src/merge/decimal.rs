//! Exact decimal numbers.

use std::cmp::Ordering;
use std::fmt;

use num_bigint::BigInt;

/// Digits and a scale: `digits / 10^scale`. Numbers that fit 128 bits are added without allocation.
#[derive(Debug, Clone)]
pub struct Decimal {
    digits: Digits,
    scale: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Digits {
    Small(i128),
    Large(BigInt),
}

/// MySQL's DECIMAL has at most 65 digits and a scale of 30; AVG may add some.
const SCALE_MAX: u32 = 80;

impl Decimal {
    /// Reads `[+-]digits[.digits]`; None for anything else.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (negative, rest) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let point = rest.iter().position(|byte| *byte == b'.');
        let scale = point.map_or(0, |point| rest.len() - point - 1) as u32;
        let digits = rest.iter().filter(|byte| **byte != b'.');
        if rest.len() <= usize::from(point.is_some())
            || scale > SCALE_MAX
            || digits.clone().any(|byte| !byte.is_ascii_digit())
        {
            return None;
        }
        if point.is_some_and(|point| rest.get(point + 1..).is_some_and(|rest| rest.contains(&b'.'))) {
            return None;
        }
        let mut small = Some(0i128);
        for digit in digits.clone() {
            small = small.and_then(|number| number.checked_mul(10)?.checked_add(i128::from(digit - b'0')));
        }
        let digits = match small {
            Some(number) => Digits::Small(if negative { -number } else { number }),
            None => {
                let all: Vec<u8> = digits.copied().collect();
                let number = BigInt::parse_bytes(&all, 10)?;
                Digits::Large(if negative { -number } else { number })
            }
        };
        Some(Self { digits, scale })
    }

    /// An integer.
    pub fn integer(number: i128) -> Self {
        Self {
            digits: Digits::Small(number),
            scale: 0,
        }
    }

    fn big(&self) -> BigInt {
        match &self.digits {
            Digits::Small(number) => BigInt::from(*number),
            Digits::Large(number) => number.clone(),
        }
    }

    /// The digits at a scale that is not smaller than the own one.
    fn at_scale(&self, scale: u32) -> Digits {
        let more = scale.saturating_sub(self.scale);
        if let Digits::Small(number) = &self.digits
            && let Some(number) = 10i128
                .checked_pow(more)
                .and_then(|power| number.checked_mul(power))
        {
            return Digits::Small(number);
        }
        Digits::Large(self.big() * BigInt::from(10).pow(more))
    }

    /// The sum, at the larger of the two scales.
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        let scale = self.scale.max(other.scale);
        let digits = match (self.at_scale(scale), other.at_scale(scale)) {
            (Digits::Small(left), Digits::Small(right)) => match left.checked_add(right) {
                Some(sum) => Digits::Small(sum),
                None => Digits::Large(BigInt::from(left) + BigInt::from(right)),
            },
            (left, right) => {
                let big = |digits| match digits {
                    Digits::Small(number) => BigInt::from(number),
                    Digits::Large(number) => number,
                };
                Digits::Large(big(left) + big(right))
            }
        };
        Self { digits, scale }
    }

    /// The quotient at a scale, rounded half away from zero; None for a divisor of zero.
    pub fn divide(&self, divisor: &Self, scale: u32) -> Option<Self> {
        let (number, by) = (self.big(), divisor.big());
        let zero = BigInt::from(0);
        if by == zero {
            return None;
        }
        let negative = (number < zero) != (by < zero);
        let shift = scale.checked_add(divisor.scale)?;
        let (up, down) = (shift.saturating_sub(self.scale), self.scale.saturating_sub(shift));
        let number = number.magnitude() * BigInt::from(10).pow(up).magnitude();
        let by = by.magnitude() * BigInt::from(10).pow(down).magnitude();
        let quotient = (number * 2u32 + &by) / (by * 2u32);
        let quotient = BigInt::from(quotient);
        Some(Self {
            digits: Digits::Large(if negative { -quotient } else { quotient }),
            scale,
        })
    }

    /// The nearest double.
    pub fn to_f64(&self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The text without trailing zeros after the point: equal numbers have equal texts.
    pub fn canonical(&self) -> String {
        let text = self.to_string();
        let text = match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.'),
            false => &text,
        };
        if text == "-0" {
            "0".to_owned()
        } else {
            text.to_owned()
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match &self.digits {
            Digits::Small(number) => number.to_string(),
            Digits::Large(number) => number.to_string(),
        };
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", text.as_str()),
        };
        let scale = self.scale as usize;
        if scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        match (self.at_scale(scale), other.at_scale(scale)) {
            (Digits::Small(left), Digits::Small(right)) => left.cmp(&right),
            (left, right) => {
                let big = |digits| match digits {
                    Digits::Small(number) => BigInt::from(number),
                    Digits::Large(number) => number,
                };
                big(left).cmp(&big(right))
            }
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}
