use std::os::unix::fs::FileExt;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::embedded::format::{Damage, decode, encode_compacted, encode_record};
use crate::store::{Entry, Expected, Store};
use crate::table::Table;

fn put(key: &str, value: &[u8], version: u64) -> Change {
    Change::Put(Entry {
        key: key.to_owned(),
        value: value.into(),
        version,
    })
}

/// A file of a compacted part and a few writes, with the offsets at which the writes begin.
fn sample() -> (Vec<u8>, Vec<usize>) {
    let mut table = Table::at_revision(3);
    table.apply(&put("cells/a", b"one", 1));
    table.apply(&put("cells/b", b"three", 3));
    let mut file = encode_compacted([7; 16], &table);
    let mut offsets = Vec::new();
    let changes = [
        put("cells/a", b"four", 4),
        Change::Delete {
            key: "cells/b".into(),
            revision: 5,
        },
        put("keyspaces/customer", &[b'x'; 1500], 6),
    ];
    for change in &changes {
        offsets.push(file.len());
        let record = encode_record(change, file.len() as u64);
        file.extend_from_slice(&record);
    }
    (file, offsets)
}

#[test]
fn a_file_is_read_back() {
    let (file, _) = sample();
    let decoded = decode(&file).unwrap();
    assert_eq!(decoded.store_id, [7; 16]);
    assert_eq!(decoded.whole_bytes, file.len());
    assert_eq!(decoded.table.revision(), 6);
    assert_eq!(&*decoded.table.get("cells/a").unwrap().value, b"four");
    assert_eq!(decoded.table.get("cells/b"), None);
    assert_eq!(decoded.table.get("keyspaces/customer").unwrap().version, 6);
}

#[test]
fn a_write_that_was_cut_off_anywhere_is_dropped_alone() {
    let (file, offsets) = sample();
    let last = *offsets.last().unwrap();
    for length in last..file.len() {
        let decoded = decode(&file[..length]).unwrap();
        assert_eq!(
            (decoded.table.revision(), decoded.whole_bytes),
            (5, last),
            "cut at {length}"
        );
    }
}

/// The file system may have made the file longer without having written all of its sectors.
#[test]
fn sectors_that_were_never_written_make_a_write_cut_off() {
    let (file, offsets) = sample();
    let last = *offsets.last().unwrap();
    let sectors: Vec<usize> = (last / 512..file.len().div_ceil(512)).collect();
    for missing in 1..(1u32 << sectors.len()) {
        let mut torn = file.clone();
        for (number, sector) in sectors
            .iter()
            .enumerate()
            .filter(|(number, _)| missing & (1 << number) != 0)
        {
            assert!(number < 32);
            let range = (sector * 512).max(last)..((sector + 1) * 512).min(file.len());
            torn[range].fill(0);
        }
        let decoded = decode(&torn).unwrap();
        assert_eq!(
            (decoded.table.revision(), decoded.whole_bytes),
            (5, last),
            "missing {missing:b}"
        );
    }
}

#[test]
fn a_changed_byte_is_never_taken_for_data() {
    let (file, offsets) = sample();
    for at in 0..file.len() {
        for flip in [1, 0x80, 0xff] {
            let mut damaged = file.clone();
            damaged[at] ^= flip;
            let error = decode(&damaged).expect_err("a changed byte was not noticed");
            let begin = offsets.iter().rev().find(|offset| **offset <= at);
            if let Some(begin) = begin {
                assert_eq!(error.offset, *begin, "byte {at}");
            }
        }
    }
}

#[test]
fn what_comes_before_the_last_write_is_never_cut_off() {
    let (file, offsets) = sample();
    // Zeros over a whole record in the middle: whole records follow, but the length is gone, and so all after
    // it.
    let mut damaged = file.clone();
    damaged[offsets[0]..offsets[1]].fill(0xff);
    assert_eq!(decode(&damaged).unwrap_err().offset, offsets[0]);
    // The compacted part was synced before the file got its name.
    for length in 0..offsets[0] {
        assert!(decode(&file[..length]).is_err(), "cut at {length}");
    }
    // A record that was left out.
    let mut shorter = file[..offsets[1]].to_vec();
    shorter.extend_from_slice(&file[offsets[2]..]);
    assert!(decode(&shorter).is_err());
    let mut skipped = file[..offsets[1]].to_vec();
    skipped.extend_from_slice(&encode_record(&put("a", b"", 6), offsets[1] as u64));
    assert_eq!(
        decode(&skipped).unwrap_err(),
        Damage {
            offset: offsets[1],
            why: "a record out of order"
        }
    );
}

fn open(folder: &TempDir) -> EmbeddedStore {
    EmbeddedStore::open(&folder.path().join("topology")).unwrap()
}

#[tokio::test]
async fn everything_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    for count in 0..20 {
        store
            .put(&format!("a/{count}"), vec![count], Expected::Absent)
            .await
            .unwrap();
    }
    store.delete("a/3", Expected::Any).await.unwrap();
    let (before, info) = (store.list("").await.unwrap(), store.info().await.unwrap());
    drop(store);
    let store = open(&folder);
    assert_eq!(store.list("").await.unwrap(), before);
    assert_eq!(store.info().await.unwrap(), info);
    assert_eq!(store.put("a/3", vec![], Expected::Absent).await.unwrap(), 22);
}

#[tokio::test]
async fn a_cut_off_write_is_removed_before_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("topology");
    let store = open(&folder);
    store.put("a/1", b"one".to_vec(), Expected::Any).await.unwrap();
    let whole = std::fs::metadata(&path).unwrap().len();
    store.put("a/2", vec![b'x'; 100], Expected::Any).await.unwrap();
    drop(store);
    for cut in [1, 50, 130] {
        let length = std::fs::metadata(&path).unwrap().len();
        std::fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(length - cut)
            .unwrap();
        let store = open(&folder);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), whole);
        assert_eq!(store.get("a/2").await.unwrap(), None);
        store.put("a/2", vec![b'y'; 120], Expected::Absent).await.unwrap();
        drop(store);
    }
    assert_eq!(&*open(&folder).get("a/1").await.unwrap().unwrap().value, b"one");
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("topology");
    let store = open(&folder);
    store.put("a/1", b"one".to_vec(), Expected::Any).await.unwrap();
    store.put("a/2", b"two".to_vec(), Expected::Any).await.unwrap();
    drop(store);
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(b"\xff", 60).unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = EmbeddedStore::open(&path).unwrap_err().to_string();
    assert!(
        error.ends_with("topology: damaged at byte 44: a record has a wrong checksum"),
        "{error}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
    std::fs::write(&path, b"").unwrap();
    assert!(
        EmbeddedStore::open(&path)
            .unwrap_err()
            .to_string()
            .contains("no header")
    );
}

#[tokio::test]
async fn a_file_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let path = folder.path().join("topology");
    assert!(matches!(
        EmbeddedStore::open(&path),
        Err(OpenError::Locked { .. })
    ));
    drop(store);
    EmbeddedStore::open(&path).unwrap();
    assert!(matches!(
        EmbeddedStore::open(&folder.path().join("no/such")),
        Err(OpenError::Io { .. })
    ));
}

#[tokio::test]
async fn a_grown_file_is_compacted_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("topology");
    let store = open(&folder);
    store
        .put("keep/1", b"kept".to_vec(), Expected::Any)
        .await
        .unwrap();
    store
        .put("gone/1", b"gone".to_vec(), Expected::Any)
        .await
        .unwrap();
    store.delete("gone/1", Expected::Any).await.unwrap();
    for count in 0..40 {
        store
            .put("big/1", vec![count; 100_000], Expected::Any)
            .await
            .unwrap();
    }
    assert!(std::fs::metadata(&path).unwrap().len() < 2 << 20);
    let (before, info) = (store.list("").await.unwrap(), store.info().await.unwrap());
    assert_eq!((before.entries.len(), before.revision), (2, 43));
    drop(store);
    // A crash in the middle of a compaction leaves its unfinished file.
    std::fs::write(folder.path().join("topology.new"), b"half").unwrap();
    let store = open(&folder);
    assert_eq!(store.list("").await.unwrap(), before);
    assert_eq!(store.info().await.unwrap(), info);
    assert_eq!(store.put("big/1", vec![], Expected::Any).await.unwrap(), 44);
}

#[tokio::test]
async fn without_room_for_a_compaction_the_old_file_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("topology");
    let store = open(&folder);
    // Nothing can be written under that name.
    std::fs::create_dir(folder.path().join("topology.new")).unwrap();
    for count in 0..20 {
        store
            .put("big/1", vec![count; 100_000], Expected::Any)
            .await
            .unwrap();
    }
    assert!(std::fs::metadata(&path).unwrap().len() > 2_000_000);
    drop(store);
    assert_eq!(open(&folder).get("big/1").await.unwrap().unwrap().version, 20);
}

#[tokio::test]
async fn after_a_failure_nothing_is_written_until_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("topology");
    let store = open(&folder);
    // The compacted file cannot take the place of a folder.
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let mut written = 0;
    let error = loop {
        match store.put("big/1", vec![1; 100_000], Expected::Any).await {
            Ok(version) => written = version,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Failed(_)), "{error}");
    assert!(!store.failed().await.is_empty());
    assert_eq!(store.get("big/1").await.unwrap().unwrap().version, written);
    assert!(matches!(
        store.delete("big/1", Expected::Any).await,
        Err(StoreError::Failed(_))
    ));
}

proptest! {
    #[test]
    fn any_bytes_are_an_error_or_a_table(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn any_tail_leaves_the_whole_part(tail in proptest::collection::vec(any::<u8>(), 0..100)) {
        let (mut file, _) = sample();
        let whole = file.len();
        file.extend_from_slice(&tail);
        if let Ok(decoded) = decode(&file) {
            prop_assert_eq!((decoded.whole_bytes, decoded.table.revision()), (whole, 6));
        }
    }

    #[test]
    fn any_history_is_read_back(
        writes in proptest::collection::vec(("[a-c]", proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40))), 0..30),
        compact_at in 0..30usize,
    ) {
        let mut table = Table::default();
        let mut file = encode_compacted([1; 16], &table);
        for (count, (key, value)) in writes.into_iter().enumerate() {
            let change = match value {
                Some(value) => Some(table.plan_put(&key, value, Expected::Any).unwrap()),
                None => table.plan_delete(&key, Expected::Any).unwrap(),
            };
            if let Some(change) = change {
                table.apply(&change);
                let record = encode_record(&change, file.len() as u64);
                file.extend_from_slice(&record);
            }
            if count == compact_at {
                file = encode_compacted([1; 16], &table);
            }
        }
        let decoded = decode(&file).unwrap();
        prop_assert_eq!(decoded.table.list(""), table.list(""));
    }
}
