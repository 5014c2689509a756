//! Rewinds of copies of a killed leader's log: interrupted ones, and ones of damaged logs.

use std::path::{Path, PathBuf};

use binlog::gtid::GtidSet;
use tablet_agent::mysqld::datadir;
use tablet_agent::rejoin::{Rewind, RewindError, rewind};

use crate::pair::Pair;

/// A cut that was interrupted after any of its steps ends as one that was not.
pub(crate) fn interrupted(pair: &Pair, known: &GtidSet) {
    let whole = copy(pair, "whole");
    let Rewind::Cut(cut) = rewind(&whole, known, "u-2").unwrap() else {
        panic!("nothing was cut")
    };
    assert_eq!(files(&whole).len(), files(pair.leader.data()).len() - cut.files);
    for steps in 1..=4 {
        let copy = copy(pair, &format!("interrupted-{steps}"));
        interrupt(&copy, &whole, steps);
        let Rewind::Cut(again) = rewind(&copy, known, "u-3").unwrap() else {
            panic!("nothing was left to cut behind step {steps}")
        };
        assert!(again.missing.is_subset(&cut.missing) && !again.missing.is_empty());
        assert_eq!(datadir::uuid(&copy).unwrap().as_deref(), Some("u-3"));
        datadir::set_uuid(&copy, "u-2").unwrap();
        assert_eq!(files(&copy), files(&whole), "behind step {steps}");
    }
}

/// Does the first steps of a cut whose result is known.
fn interrupt(data: &Path, result: &Path, steps: u32) {
    datadir::set_uuid(data, "u-2").unwrap();
    let index = std::fs::read_to_string(result.join("binlog.index")).unwrap();
    let file = index.lines().last().unwrap();
    if steps >= 2 {
        let mut bytes = std::fs::read(data.join(file)).unwrap();
        bytes[4 + 17] |= 1;
        std::fs::write(data.join(file), bytes).unwrap();
    }
    if steps >= 3 {
        std::fs::write(data.join("binlog.index"), &index).unwrap();
    }
    if steps >= 4 {
        for (name, _) in files(data) {
            if !result.join(&name).exists() {
                std::fs::remove_file(data.join(name)).unwrap();
            }
        }
    }
}

/// A log that was closed by a recovery, or cannot be understood, is left alone; mysqld died while it replaced the index, or was never started.
pub(crate) fn damaged(pair: &Pair, known: &GtidSet) {
    let index = std::fs::read_to_string(pair.leader.data().join("binlog.index")).unwrap();
    let before_last = index.lines().rev().nth(1).unwrap();
    type Damage<'a> = &'a dyn Fn(&Path);
    type Told = fn(&RewindError) -> bool;
    let cases: [(&str, Damage<'_>, Told); 5] = [
        (
            "closed",
            &|data| {
                let last = data.join(index.lines().last().unwrap());
                let mut bytes = std::fs::read(&last).unwrap();
                bytes[4 + 17] &= !1;
                std::fs::write(last, bytes).unwrap();
            },
            |error| matches!(error, RewindError::Committed(missing) if missing.count() == 4),
        ),
        (
            "no-file",
            &|data| std::fs::remove_file(data.join(before_last)).unwrap(),
            |error| matches!(error, RewindError::NoFile(_)),
        ),
        (
            "broken",
            &|data| {
                let bytes = std::fs::read(data.join(before_last)).unwrap();
                std::fs::write(data.join(before_last), &bytes[..bytes.len() - 3]).unwrap();
            },
            |error| matches!(error, RewindError::Broken(..)),
        ),
        (
            "encrypted",
            &|data| std::fs::write(data.join(before_last), b"\xfdbin and so on").unwrap(),
            |error| matches!(error, RewindError::Unreadable(..)),
        ),
        (
            "index",
            &|data| std::fs::write(data.join("binlog.index"), b"./binlog.1\n").unwrap(),
            |error| matches!(error, RewindError::Index(_)),
        ),
    ];
    for (name, damage, told) in cases {
        let copy = copy(pair, name);
        damage(&copy);
        let before = files(&copy);
        let error = rewind(&copy, known, "u-2").unwrap_err();
        assert!(told(&error) && error.needs_clone(), "{name}: {error}");
        assert_eq!(files(&copy), before, "{name}");
    }
    let moved = copy(pair, "moved");
    std::fs::rename(moved.join("binlog.index"), moved.join("binlog.index_crash_safe")).unwrap();
    assert!(matches!(rewind(&moved, known, "u-2").unwrap(), Rewind::Cut(_)));
    let empty = pair.dir.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    assert_eq!(rewind(&empty, known, "u-2").unwrap(), Rewind::Nothing);
}

fn copy(pair: &Pair, name: &str) -> PathBuf {
    let to = pair.dir.path().join(name);
    std::fs::create_dir(&to).unwrap();
    for (name, bytes) in files(pair.leader.data()) {
        std::fs::write(to.join(name), bytes).unwrap();
    }
    to
}

/// The log's files, its index, and what else a cut touches.
fn files(data: &Path) -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(data).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.starts_with("binlog.") || name.starts_with("vitrail.") || name == "auto.cnf" {
            let bytes = std::fs::read(data.join(&name)).unwrap();
            out.push((name, bytes));
        }
    }
    out.sort();
    out
}
