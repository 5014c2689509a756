//! Which of MySQL's collations never take as equal what has different weights here.

/// True when texts that are equal in MySQL's collation of that name have equal weights here.
pub(crate) fn covers_collation(_name: &str) -> bool {
    false
}
