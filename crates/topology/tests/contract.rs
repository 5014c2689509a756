//! One suite of promises that every store keeps: in memory, in a file, in another process, and in an etcd.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

#[allow(dead_code, reason = "each test program uses its part of it")]
mod support;

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use support::{Etcd, REQUEST_BYTES_MAX};
use tempfile::TempDir;
use tokio::sync::oneshot;
use topology::remote::RemoteOptions;
use topology::server::{Listener, Secret};
use topology::{Address, EmbeddedStore, Expected, MemoryStore, Store, StoreError, Watch, WatchEvent, server};

/// A kind of store under test.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Memory,
    Embedded,
    RemoteUnix,
    RemoteTcp,
    Etcd,
}

/// What a store needs to live.
type Server = Box<dyn Any>;

/// A store and what has to live as long.
struct Fixture {
    store: Arc<dyn Store>,
    _server: Server,
}

impl Fixture {
    async fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, server): (Arc<dyn Store>, Server) = match kind {
            Kind::Memory => (Arc::new(MemoryStore::new()), Box::new(())),
            Kind::Embedded => (Arc::new(embedded(&folder)), Box::new(folder)),
            Kind::RemoteUnix => {
                let address = Address::Unix(folder.path().join("s"));
                serve(folder, address, None).await
            }
            Kind::RemoteTcp => {
                let secret = Secret::new("a secret of the test".replace(' ', "-").as_str());
                serve(folder, "127.0.0.1:0".parse().unwrap(), secret).await
            }
            Kind::Etcd => {
                let etcd = Etcd::start(Some(REQUEST_BYTES_MAX));
                let address = format!("etcd:{}", etcd.member());
                let store = topology::open(&address, RemoteOptions::default()).unwrap();
                // It takes a moment to answer.
                while store.info().await.is_err() {}
                (store, Box::new(etcd))
            }
        };
        Self {
            store,
            _server: server,
        }
    }
}

fn embedded(folder: &TempDir) -> EmbeddedStore {
    EmbeddedStore::open(&folder.path().join("topology")).unwrap()
}

async fn serve(folder: TempDir, address: Address, secret: Option<Secret>) -> (Arc<dyn Store>, Server) {
    let listener = Listener::bind(&address).await.unwrap();
    let options = RemoteOptions {
        secret: secret.clone(),
        ..RemoteOptions::default()
    };
    let remote = topology::open(&listener.address().to_string(), options).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let store = Arc::new(embedded(&folder));
    tokio::spawn(server::serve(listener, store, secret, async {
        let _ = stopped.await;
    }));
    (remote, Box::new((folder, stop)))
}

/// Runs one promise on one kind of store.
fn check<F: Future<Output = ()>>(kind: Kind, promise: impl FnOnce(Arc<dyn Store>) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let kept = async {
            let fixture = Fixture::new(kind).await;
            promise(Arc::clone(&fixture.store)).await;
        };
        let done = tokio::time::timeout(Duration::from_secs(60), kept);
        done.await.expect("the promise took too long");
    });
}

macro_rules! promises {
    ($($name:ident),* $(,)?) => {
        mod memory { $(#[test] fn $name() { super::check(super::Kind::Memory, super::$name); })* }
        mod embedded { $(#[test] fn $name() { super::check(super::Kind::Embedded, super::$name); })* }
        mod remote_unix { $(#[test] fn $name() { super::check(super::Kind::RemoteUnix, super::$name); })* }
        mod remote_tcp { $(#[test] fn $name() { super::check(super::Kind::RemoteTcp, super::$name); })* }
        mod etcd { $(#[test] fn $name() { super::check(super::Kind::Etcd, super::$name); })* }
    };
}

promises!(
    a_written_entry_is_read_back,
    listings_are_in_order_and_keep_to_the_prefix,
    only_the_expected_version_is_replaced,
    versions_never_repeat,
    deletes_expect_versions_too,
    of_racing_writers_one_wins,
    bad_keys_and_large_values_are_refused,
    values_may_be_empty_or_large,
    a_watch_begins_with_a_snapshot_and_follows,
    a_watch_ends_up_with_what_the_store_has,
    the_store_has_an_identity,
);

async fn a_written_entry_is_read_back(store: Arc<dyn Store>) {
    assert_eq!(store.get("cells/a").await.unwrap(), None);
    let version = store.put("cells/a", b"1".to_vec(), Expected::Any).await.unwrap();
    let entry = store.get("cells/a").await.unwrap().unwrap();
    assert_eq!(
        (entry.key.as_str(), &*entry.value, entry.version),
        ("cells/a", &b"1"[..], version)
    );
}

/// Revision of a store that has just been made: an etcd has more behind it than its entries.
async fn beginning(store: &Arc<dyn Store>) -> u64 {
    store.info().await.unwrap().revision
}

async fn listings_are_in_order_and_keep_to_the_prefix(store: Arc<dyn Store>) {
    let beginning = beginning(&store).await;
    for key in ["b/2", "a/1", "b/10", "b", "c", "ba/1"] {
        store
            .put(key, key.as_bytes().to_vec(), Expected::Absent)
            .await
            .unwrap();
    }
    let keys = async |prefix| {
        let listing = store.list(prefix).await.unwrap();
        assert_eq!(listing.revision, beginning + 6);
        listing
            .entries
            .into_iter()
            .map(|entry| entry.key)
            .collect::<Vec<_>>()
    };
    assert_eq!(keys("b/").await, ["b/10", "b/2"]);
    assert_eq!(keys("b").await, ["b", "b/10", "b/2", "ba/1"]);
    assert_eq!(keys("").await.len(), 6);
    assert_eq!(keys("d/").await, [""; 0]);
}

async fn only_the_expected_version_is_replaced(store: Arc<dyn Store>) {
    let conflict = |actual| {
        Err(StoreError::Conflict {
            key: "k".into(),
            actual,
        })
    };
    assert_eq!(store.put("k", vec![], Expected::Version(1)).await, conflict(None));
    let first = store.put("k", b"1".to_vec(), Expected::Absent).await.unwrap();
    assert_eq!(
        store.put("k", vec![], Expected::Absent).await,
        conflict(Some(first))
    );
    let second = store
        .put("k", b"2".to_vec(), Expected::Version(first))
        .await
        .unwrap();
    assert!(second > first);
    assert_eq!(
        store.put("k", vec![], Expected::Version(first)).await,
        conflict(Some(second))
    );
    assert_eq!(&*store.get("k").await.unwrap().unwrap().value, b"2");
}

async fn versions_never_repeat(store: Arc<dyn Store>) {
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(store.put("k", vec![], Expected::Absent).await.unwrap());
        seen.push(store.put("other", vec![], Expected::Any).await.unwrap());
        assert!(store.delete("k", Expected::Any).await.unwrap());
    }
    assert!(seen.is_sorted_by(|left, right| left < right), "{seen:?}");
}

async fn deletes_expect_versions_too(store: Arc<dyn Store>) {
    assert!(!store.delete("k", Expected::Any).await.unwrap());
    assert!(!store.delete("k", Expected::Absent).await.unwrap());
    let version = store.put("k", vec![], Expected::Any).await.unwrap();
    for wrong in [Expected::Absent, Expected::Version(version + 1)] {
        let error = store.delete("k", wrong).await.unwrap_err();
        assert_eq!(
            error,
            StoreError::Conflict {
                key: "k".into(),
                actual: Some(version)
            }
        );
    }
    assert!(store.delete("k", Expected::Version(version)).await.unwrap());
    assert!(store.get("k").await.unwrap().is_none());
    assert!(store.delete("k", Expected::Version(version)).await.is_err());
}

async fn of_racing_writers_one_wins(store: Arc<dyn Store>) {
    for round in 0..5 {
        let expected = match store.get("k").await.unwrap() {
            Some(entry) => Expected::Version(entry.version),
            None => Expected::Absent,
        };
        let racers = (0..8u8).map(|racer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.put("k", vec![round, racer], expected).await.map(|_| racer) })
        });
        let mut winners = Vec::new();
        for racer in racers.collect::<Vec<_>>() {
            match racer.await.unwrap() {
                Ok(winner) => winners.push(winner),
                Err(error) => assert!(matches!(error, StoreError::Conflict { .. }), "{error}"),
            }
        }
        let value = store.get("k").await.unwrap().unwrap().value;
        assert_eq!(
            winners
                .iter()
                .map(|winner| vec![round, *winner])
                .collect::<Vec<_>>(),
            [value.to_vec()]
        );
    }
}

async fn bad_keys_and_large_values_are_refused(store: Arc<dyn Store>) {
    let beginning = beginning(&store).await;
    for key in ["", "a//b", "/a", "a b", "é"] {
        let put = store.put(key, vec![], Expected::Any).await;
        assert!(matches!(put, Err(StoreError::Invalid(_))), "{key:?}: {put:?}");
        assert_eq!(store.get(key).await, Ok(None));
    }
    let value = vec![0; topology::store::VALUE_BYTES_MAX + 1];
    assert!(matches!(
        store.put("k", value, Expected::Any).await,
        Err(StoreError::Invalid(_))
    ));
    assert_eq!(store.info().await.unwrap().revision, beginning);
}

async fn values_may_be_empty_or_large(store: Arc<dyn Store>) {
    let large: Vec<u8> = (0..topology::store::VALUE_BYTES_MAX).map(|at| at as u8).collect();
    store.put("a/large", large.clone(), Expected::Any).await.unwrap();
    store.put("a/empty", vec![], Expected::Any).await.unwrap();
    store.put("a/small", vec![0, 255], Expected::Any).await.unwrap();
    let mut watch = store.watch("a/");
    let Some(WatchEvent::Snapshot(listing)) = watch.next().await else {
        panic!("no snapshot")
    };
    assert_eq!(listing, store.list("a/").await.unwrap());
    let values: Vec<_> = listing.entries.iter().map(|entry| entry.value.to_vec()).collect();
    assert!(values == [vec![], large, vec![0, 255]]);
}

async fn next(watch: &mut Watch) -> WatchEvent {
    watch.next().await.expect("the watch goes on")
}

async fn a_watch_begins_with_a_snapshot_and_follows(store: Arc<dyn Store>) {
    let beginning = beginning(&store).await;
    store.put("a/1", b"old".to_vec(), Expected::Any).await.unwrap();
    let mut watch = store.watch("a/");
    let WatchEvent::Snapshot(listing) = next(&mut watch).await else {
        panic!("no snapshot")
    };
    assert_eq!((listing.entries.len(), listing.revision), (1, beginning + 1));
    store.put("b/1", vec![], Expected::Any).await.unwrap();
    store.put("a/1", b"new".to_vec(), Expected::Any).await.unwrap();
    let WatchEvent::Put(entry) = next(&mut watch).await else {
        panic!("no put")
    };
    assert_eq!(
        (entry.key.as_str(), &*entry.value, entry.version),
        ("a/1", &b"new"[..], beginning + 3)
    );
    store.delete("a/1", Expected::Any).await.unwrap();
    assert_eq!(
        next(&mut watch).await,
        WatchEvent::Deleted {
            key: "a/1".into(),
            revision: beginning + 4
        }
    );
}

/// Many writes while watches begin: none may fall into the gap between snapshot and changes.
async fn a_watch_ends_up_with_what_the_store_has(store: Arc<dyn Store>) {
    let writer = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for count in 0..300u32 {
                let key = format!("a/{}", count % 7);
                if count % 5 == 4 {
                    store.delete(&key, Expected::Any).await.unwrap();
                } else {
                    store
                        .put(&key, count.to_le_bytes().to_vec(), Expected::Any)
                        .await
                        .unwrap();
                }
            }
            store.put("a/end", vec![], Expected::Any).await.unwrap();
        })
    };
    let followers = (0..10).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(number * 3)).await;
            let mut watch = store.watch("a/");
            let mut seen = std::collections::BTreeMap::new();
            while !seen.contains_key("a/end") {
                match next(&mut watch).await {
                    WatchEvent::Snapshot(listing) => {
                        seen = listing
                            .entries
                            .into_iter()
                            .map(|entry| (entry.key.clone(), entry))
                            .collect();
                    }
                    WatchEvent::Put(entry) => {
                        seen.insert(entry.key.clone(), entry);
                    }
                    WatchEvent::Deleted { key, .. } => {
                        seen.remove(&key);
                    }
                    WatchEvent::Interrupted(error) => panic!("{error}"),
                }
            }
            seen.into_values().collect::<Vec<_>>()
        })
    });
    let followers: Vec<_> = followers.collect();
    writer.await.unwrap();
    let entries = store.list("a/").await.unwrap().entries;
    for follower in followers {
        assert_eq!(follower.await.unwrap(), entries);
    }
}

async fn the_store_has_an_identity(store: Arc<dyn Store>) {
    let info = store.info().await.unwrap();
    assert_eq!(info.store_id.len(), 32);
    store.put("k", vec![], Expected::Any).await.unwrap();
    let later = store.info().await.unwrap();
    assert_eq!(
        (later.store_id, later.revision),
        (info.store_id, info.revision + 1)
    );
}
