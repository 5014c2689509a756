//! The index of a binary log: the names of its files, oldest first, one on each line.

/// The index cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// A name is not `base.number`, or does not follow the one before it.
    #[error("{0:?} is not the name of the next binary log file")]
    Name(String),
    /// The text is not UTF-8.
    #[error("the index is not text")]
    NotText,
}

/// Reads an index's names, as they are written.
pub fn names(index: &[u8]) -> Result<Vec<&str>, IndexError> {
    let text = std::str::from_utf8(index).map_err(|_| IndexError::NotText)?;
    let mut names: Vec<&str> = Vec::new();
    for name in text.lines().filter(|line| !line.is_empty()) {
        let bad = || IndexError::Name(name.chars().take(200).collect());
        let (base, number) = split(name).ok_or_else(bad)?;
        if let Some((last_base, last)) = names.last().and_then(|last| split(last))
            && (base != last_base || number <= last)
        {
            return Err(bad());
        }
        names.push(name);
    }
    Ok(names)
}

/// An index of these names.
pub fn text(names: &[&str]) -> String {
    names.iter().flat_map(|name| [name, "\n"]).collect()
}

/// A file's name without its number, and the number.
pub fn split(name: &str) -> Option<(&str, u64)> {
    let (base, digits) = name.rsplit_once('.')?;
    let well_formed = !base.is_empty() && digits.len() >= 6 && digits.bytes().all(|b| b.is_ascii_digit());
    Some((base, digits.parse().ok().filter(|_| well_formed)?))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn names_follow_each_other() {
        let index = "./binlog.000009\n./binlog.000011\n./binlog.1000000\n";
        let names = names(index.as_bytes()).unwrap();
        assert_eq!(names, ["./binlog.000009", "./binlog.000011", "./binlog.1000000"]);
        assert_eq!(text(&names), index);
        assert_eq!(split(names[2]), Some(("./binlog", 1_000_000)));
        assert_eq!(super::names(b"").unwrap(), [""; 0]);
    }

    #[test]
    fn other_texts_are_refused() {
        for index in [
            "./binlog.000002\n./binlog.000001\n",
            "./binlog.000001\n./binlog.000001\n",
            "./binlog.000001\n./other.000002\n",
            "binlog\n",
            ".000001\n",
            "b.01\n",
            "b.00000x\n",
            "b.99999999999999999999999\n",
        ] {
            assert!(
                matches!(names(index.as_bytes()), Err(IndexError::Name(_))),
                "{index}"
            );
        }
        assert_eq!(names(b"b.00000\xff"), Err(IndexError::NotText));
    }
}
