//! mysqld's error log, as far as a user wants to see it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// How much of the log's end is searched, in bytes.
const TAIL: u64 = 16 << 10;

/// The last error in the log, for whoever asks why mysqld does not run; none when there is none in its last pages.
pub fn last_error(log: &Path) -> Option<String> {
    let tail = tail(log).ok()?;
    let line = tail.lines().rev().find_map(|line| line.split_once("[ERROR]"))?;
    Some(line.1.trim().to_owned())
}

fn tail(log: &Path) -> io::Result<String> {
    let mut file = File::open(log)?;
    let begin = file.metadata()?.len().saturating_sub(TAIL);
    file.seek(SeekFrom::Start(begin))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_last_error_is_found_at_the_end_only() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        assert_eq!(last_error(&log), None);
        std::fs::write(
            &log,
            "t 0 [ERROR] [MY-1] [Server] old\nt 0 [ERROR] [MY-2] [Server] new\nt 0 [System] x\n",
        )
        .unwrap();
        assert_eq!(last_error(&log).as_deref(), Some("[MY-2] [Server] new"));
        std::fs::write(&log, format!("[ERROR] far\n{}", "x\n".repeat(20_000))).unwrap();
        assert_eq!(last_error(&log), None);
    }
}
