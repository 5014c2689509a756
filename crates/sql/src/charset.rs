//! Client character sets, as far as the lexer must know them.

/// How the bytes of a text group into characters.
///
/// In most character sets every byte below 0x80 is that ASCII character; in five of MySQL's, the second byte of a character may be `\`, a
/// backtick or another ASCII character, so the lexer must step by character there or it would see quotes that are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ClientCharset {
    /// Every other character set that MySQL allows for clients: utf8mb4, latin1, binary, ujis, euckr, ...
    #[default]
    AsciiSafe,
    /// `gbk`
    Gbk,
    /// `gb18030`
    Gb18030,
    /// `big5`
    Big5,
    /// `sjis`
    Sjis,
    /// `cp932`
    Cp932,
}

impl ClientCharset {
    /// The stepping rule for a character set by its MySQL name (`character_set_client`), any letter case.
    pub fn from_name(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "gbk" => Self::Gbk,
            "gb18030" => Self::Gb18030,
            "big5" => Self::Big5,
            "sjis" => Self::Sjis,
            "cp932" => Self::Cp932,
            _ => Self::AsciiSafe,
        }
    }

    /// Whether a byte below 0x80 always is that ASCII character.
    pub const fn is_ascii_safe(self) -> bool {
        matches!(self, Self::AsciiSafe)
    }

    /// Length in bytes of the multi-byte character that `bytes` starts with; `None` when the first byte stands alone.
    ///
    /// A lead byte without a valid trail byte stands alone, as in MySQL's `my_ismbchar`.
    pub fn multibyte_len(self, bytes: &[u8]) -> Option<usize> {
        let (&lead, rest) = bytes.split_first()?;
        let &trail = rest.first()?;
        let double = match self {
            Self::AsciiSafe => false,
            Self::Gbk => matches!(lead, 0x81..=0xFE) && matches!(trail, 0x40..=0x7E | 0x80..=0xFE),
            Self::Gb18030 => {
                if matches!(lead, 0x81..=0xFE)
                    && trail.is_ascii_digit()
                    && matches!(rest.get(1..3), Some([0x81..=0xFE, b'0'..=b'9']))
                {
                    return Some(4);
                }
                matches!(lead, 0x81..=0xFE) && matches!(trail, 0x40..=0x7E | 0x80..=0xFE)
            }
            Self::Big5 => matches!(lead, 0xA1..=0xF9) && matches!(trail, 0x40..=0x7E | 0xA1..=0xFE),
            Self::Sjis | Self::Cp932 => {
                matches!(lead, 0x81..=0x9F | 0xE0..=0xFC) && matches!(trail, 0x40..=0x7E | 0x80..=0xFC)
            }
        };
        double.then_some(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_over_a_backslash_trail_byte() {
        assert_eq!(ClientCharset::Gbk.multibyte_len(b"\xBF\x5C'"), Some(2));
        assert_eq!(ClientCharset::AsciiSafe.multibyte_len(b"\xBF\x5C'"), None);
        assert_eq!(ClientCharset::Sjis.multibyte_len(b"\x83\x5C"), Some(2));
        assert_eq!(ClientCharset::Sjis.multibyte_len(b"\xB1\x5C"), None);
        assert_eq!(ClientCharset::Gb18030.multibyte_len(b"\x81\x30\x81\x30"), Some(4));
        assert_eq!(ClientCharset::Gb18030.multibyte_len(b"\x81\x30"), None);
        assert_eq!(ClientCharset::Big5.multibyte_len(b"\xA5\x5C"), Some(2));
    }
}
