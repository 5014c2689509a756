//! Which names a keyspace and its database may have.

use vschema::KeyRange;

use crate::problem::Problem;

/// Longest label of a DNS name, which a tablet's name has to be.
const LABEL_CHARACTERS_MAX: usize = 63;

/// What a tablet's name adds to its shard's: `-` and a serial, which grows with every replacement.
const SERIAL_CHARACTERS: usize = 6;

/// MySQL's own databases, and the one of Vitrail's tables.
const RESERVED: [&str; 5] = [
    "mysql",
    "sys",
    "information_schema",
    "performance_schema",
    "_vitrail",
];

pub(super) fn check_keyspace(name: &str, ranges: &[KeyRange], problems: &mut Vec<Problem>) {
    let mut problem = |message: String| problems.push(Problem::new("metadata.name", message));
    if name.is_empty() {
        return problem("is required".to_owned());
    }
    if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
        return problem(format!("\"{name}\" is reserved"));
    }
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !name.bytes().all(plain) || name.starts_with('-') || name.ends_with('-') {
        let hint = "; a database of another name goes to spec.database";
        return problem(format!(
            "\"{name}\" is no DNS label: lower-case letters, digits, and '-' between them{hint}"
        ));
    }
    let longest = ranges
        .iter()
        .map(|range| range.object_name(name).len())
        .max()
        .unwrap_or(name.len());
    if longest + SERIAL_CHARACTERS > LABEL_CHARACTERS_MAX {
        let most = (name.len() + LABEL_CHARACTERS_MAX).saturating_sub(longest + SERIAL_CHARACTERS);
        problem(format!(
            "may have at most {most} characters, so that the names of its tablets are DNS labels"
        ));
    }
}

pub(super) fn check_database(name: &str, problems: &mut Vec<Problem>) {
    let mut problem = |message: String| problems.push(Problem::new("spec.database", message));
    if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
        return problem(format!("\"{name}\" is reserved"));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'-');
    if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
        problem(format!(
            "\"{name}\" is not 1 to 64 letters, digits, '_', '$' and '-'"
        ));
    }
}
