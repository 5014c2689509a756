//! Collation ids, as `information_schema.COLLATIONS` of MySQL 9.7 lists them.

/// A collation and its character set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collation {
    /// The id on the wire.
    pub id: u16,
    /// The collation's name.
    pub name: &'static str,
    /// The character set's name.
    pub charset: &'static str,
    /// Whether it is the default collation of its character set.
    pub is_default: bool,
    /// The longest character in bytes.
    pub max_len: u8,
    /// Whether trailing spaces count in comparisons (NO PAD).
    pub no_pad: bool,
}

/// `utf8mb4_0900_ai_ci`, the server's default.
pub const UTF8MB4_0900_AI_CI: u16 = 255;
/// `utf8mb4_general_ci`, which most clients send in the handshake.
pub const UTF8MB4_GENERAL_CI: u16 = 45;
/// `utf8mb3_general_ci`, the collation of metadata columns.
pub const UTF8MB3_GENERAL_CI: u16 = 33;
/// `binary`: bytes without a character set.
pub const BINARY: u16 = 63;

impl Collation {
    /// The collation with this id.
    #[must_use]
    pub fn by_id(id: u16) -> Option<&'static Self> {
        let at = table::COLLATIONS.binary_search_by_key(&id, |c| c.id).ok()?;
        table::COLLATIONS.get(at)
    }

    /// The collation with this name, compared without case.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        table::COLLATIONS
            .iter()
            .find(|c| c.name.eq_ignore_ascii_case(name))
    }

    /// The default collation of a character set, whose name is compared without case; `utf8` is utf8mb3.
    #[must_use]
    pub fn default_of(charset: &str) -> Option<&'static Self> {
        let charset = if charset.eq_ignore_ascii_case("utf8") {
            "utf8mb3"
        } else {
            charset
        };
        table::COLLATIONS
            .iter()
            .find(|c| c.is_default && c.charset.eq_ignore_ascii_case(charset))
    }
}

mod table;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_names_find_their_collation() {
        assert!(table::COLLATIONS.is_sorted_by_key(|c| c.id));
        assert_eq!(
            Collation::by_id(UTF8MB4_0900_AI_CI).unwrap().name,
            "utf8mb4_0900_ai_ci"
        );
        assert_eq!(
            Collation::by_id(UTF8MB4_GENERAL_CI).unwrap().name,
            "utf8mb4_general_ci"
        );
        assert_eq!(Collation::by_id(UTF8MB3_GENERAL_CI).unwrap().charset, "utf8mb3");
        assert_eq!(Collation::by_id(BINARY).unwrap().max_len, 1);
        assert_eq!(Collation::by_id(0), None);
        assert_eq!(Collation::by_name("LATIN1_swedish_ci").unwrap().id, 8);
        assert_eq!(Collation::default_of("utf8").unwrap().id, 33);
        assert_eq!(Collation::default_of("utf8mb4").unwrap().id, 255);
        assert_eq!(Collation::default_of("nope"), None);
    }
}
