//! A member's data directory: a copy of the template with an identity of its own.

use std::io;
use std::path::Path;

use crate::durable;

/// Where mysqld keeps its server_uuid.
const AUTO_CNF: &str = "auto.cnf";

/// Copies the template's data directory to `to`, which appears whole or not at all, as the server `uuid`.
pub fn create(template: &Path, to: &Path, uuid: &str) -> io::Result<()> {
    let fresh = to.with_extension("new");
    if fresh.exists() {
        std::fs::remove_dir_all(&fresh)?;
    }
    copy_dir(template, &fresh)?;
    // mysqld would choose a uuid at its first start; the member has to be known by it before that.
    set_uuid(&fresh, uuid)?;
    std::fs::rename(&fresh, to)?;
    match to.parent() {
        Some(parent) => durable::sync_dir(parent),
        None => Ok(()),
    }
}

/// Makes the directory another server's, from the next start of mysqld on.
pub fn set_uuid(data: &Path, uuid: &str) -> io::Result<()> {
    durable::replace(
        &data.join(AUTO_CNF),
        format!("[auto]\nserver-uuid={uuid}\n").as_bytes(),
    )
}

/// The server_uuid that mysqld will start with; none if it will choose one.
pub fn uuid(data: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(data.join(AUTO_CNF)) {
        Ok(text) => Ok(text
            .lines()
            .find_map(|line| line.strip_prefix("server-uuid="))
            .map(|uuid| uuid.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Copies a tree of directories and files; shares extents where the file system can.
fn copy_dir(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir(to)?;
    std::fs::set_permissions(to, std::fs::metadata(from)?.permissions())?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy_dir(&source, &target)?;
        } else {
            std::fs::copy(&source, &target)?;
        }
    }
    Ok(())
}

/// A random UUID, version 4.
pub fn random_uuid() -> String {
    let mut b: [u8; 16] = rand::random();
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    let h = hex::encode(b);
    let part = |from: usize, to: usize| h.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn copies_are_whole_and_have_their_own_identity() {
        let dir = tempfile::tempdir().unwrap();
        let template = dir.path().join("t");
        std::fs::create_dir_all(template.join("sub")).unwrap();
        std::fs::write(template.join("sub/f"), b"x").unwrap();
        std::fs::create_dir(dir.path().join("data.new")).unwrap();
        let to = dir.path().join("data");
        create(&template, &to, "u-1").unwrap();
        assert_eq!(std::fs::read(to.join("sub/f")).unwrap(), b"x");
        assert_eq!(uuid(&to).unwrap().as_deref(), Some("u-1"));
        set_uuid(&to, "u-2").unwrap();
        assert_eq!(uuid(&to).unwrap().as_deref(), Some("u-2"));
        assert_eq!(uuid(&template).unwrap(), None);
        assert!(!dir.path().join("data.new").exists());
    }

    #[test]
    fn uuids_have_the_form_that_gtids_need() {
        let uuid = random_uuid();
        assert_eq!(uuid.len(), 36);
        assert!(
            format!("{uuid}:1").parse::<binlog::gtid::GtidSet>().is_ok(),
            "{uuid}"
        );
        assert_ne!(uuid, random_uuid());
    }
}
