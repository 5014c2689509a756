//! What only a store in an etcd has: several members, a history that is compacted, and another etcd in its place.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

#[allow(dead_code, reason = "each test program uses its part of it")]
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use proto::etcd::CompactionRequest;
use proto::etcd::kv_client::KvClient;
use support::{Etcd, REQUEST_BYTES_MAX};
use tokio::time::timeout;
use tonic::transport::Endpoint;
use topology::records::Cell;
use topology::remote::RemoteOptions;
use topology::server::Secret;
use topology::{Expected, Mirror, Store, StoreError, TypedStore, Watch, WatchEvent};

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn open(address: &str) -> Arc<dyn Store> {
    topology::open(address, RemoteOptions::default()).unwrap()
}

fn client(etcd: &Etcd) -> Arc<dyn Store> {
    open(&format!("etcd:{}", etcd.member()))
}

/// Waits until it answers, which an etcd that was just started does not yet.
async fn answers(store: &Arc<dyn Store>) {
    let asked = async { while store.info().await.is_err() {} };
    timeout(PATIENCE, asked).await.expect("the etcd does not come up");
}

async fn started() -> (Etcd, Arc<dyn Store>) {
    let etcd = Etcd::start(Some(REQUEST_BYTES_MAX));
    let store = client(&etcd);
    answers(&store).await;
    (etcd, store)
}

async fn next(watch: &mut Watch) -> WatchEvent {
    let event = timeout(PATIENCE, watch.next()).await.expect("nothing comes");
    event.expect("the watch goes on")
}

async fn until(mirror: &mut Mirror<Cell>, wanted: impl Fn(&Mirror<Cell>) -> bool) {
    let waiting = async {
        while !wanted(mirror) {
            mirror.changed().await;
        }
    };
    timeout(PATIENCE, waiting)
        .await
        .expect("the mirror does not get there");
}

fn cell(name: &str) -> Cell {
    Cell { name: name.into() }
}

#[tokio::test]
async fn records_and_mirrors_outlive_a_killed_etcd() {
    let (mut etcd, store) = started().await;
    let typed = TypedStore::new(Arc::clone(&store));
    let identity = store.info().await.unwrap().store_id;
    let version = typed.create(&cell("a")).await.unwrap();
    let mut mirror = Mirror::<Cell>::start(&typed);
    until(&mut mirror, Mirror::is_connected).await;

    etcd.kill();
    until(&mut mirror, |mirror| !mirror.is_connected()).await;
    let error = typed.create(&cell("b")).await.unwrap_err().to_string();
    assert!(
        error.starts_with("the topology store is unavailable: "),
        "{error}"
    );
    assert_eq!(mirror.records().keys().collect::<Vec<_>>(), ["cells/a"]);

    etcd.start_again();
    until(&mut mirror, Mirror::is_connected).await;
    assert_eq!(store.info().await.unwrap().store_id, identity);
    assert_eq!(typed.require::<Cell>("cells/a").await.unwrap().version, version);
    typed.create(&cell("b")).await.unwrap();
    until(&mut mirror, |mirror| {
        mirror.with(|records| records.contains_key("cells/b"))
    })
    .await;
    // A process that starts now finds the same store.
    assert_eq!(client(&etcd).info().await.unwrap().store_id, identity);
}

#[tokio::test]
async fn an_etcd_that_came_back_empty_is_not_believed() {
    let (mut etcd, store) = started().await;
    let typed = TypedStore::new(Arc::clone(&store));
    let identity = store.info().await.unwrap().store_id;
    let version = typed.create(&cell("a")).await.unwrap();
    let mut mirror = Mirror::<Cell>::start(&typed);
    until(&mut mirror, Mirror::is_connected).await;
    let mut watch = store.watch("");
    assert!(matches!(next(&mut watch).await, WatchEvent::Snapshot(_)));

    etcd.kill();
    etcd.wipe();
    etcd.start_again();
    let mut refused = async |end: &str| {
        let calls = async {
            loop {
                match store.get("cells/a").await {
                    Err(StoreError::Unavailable(why)) if why.contains(end) => break,
                    Err(StoreError::Unavailable(_)) => {}
                    result => panic!("{result:?}"),
                }
            }
        };
        timeout(PATIENCE, calls).await.unwrap();
        for result in [
            store.put("cells/b", vec![], Expected::Any).await.map(|_| ()),
            store.put("cells/b", vec![], Expected::Absent).await.map(|_| ()),
            store
                .put("cells/a", vec![], Expected::Version(version))
                .await
                .map(|_| ()),
            store.delete("cells/a", Expected::Any).await.map(|_| ()),
            store.list("").await.map(|_| ()),
            store.info().await.map(|_| ()),
        ] {
            assert!(
                matches!(&result, Err(StoreError::Unavailable(why)) if why.contains(end)),
                "{result:?}"
            );
        }
        loop {
            match next(&mut watch).await {
                WatchEvent::Interrupted(StoreError::Unavailable(why)) if why.contains(end) => break,
                WatchEvent::Interrupted(_) => {}
                event => panic!("{event:?}"),
            }
        }
    };
    refused(&format!("/vitrail came back empty, and was {identity}")).await;

    // Another process takes it for a new store, and nothing of what was refused is in it.
    let other = client(&etcd);
    answers(&other).await;
    let new = other.info().await.unwrap().store_id;
    assert_ne!(new, identity);
    assert!(other.list("").await.unwrap().entries.is_empty());
    other
        .put("cells/a", b"{}".to_vec(), Expected::Absent)
        .await
        .unwrap();
    refused(&format!("/vitrail is store {new} now, and was {identity}")).await;
    assert!(!mirror.is_connected());
    assert_eq!(mirror.records().keys().collect::<Vec<_>>(), ["cells/a"]);
}

#[tokio::test]
async fn members_are_asked_in_turn() {
    let (etcd, store) = started().await;
    store.put("k", b"1".to_vec(), Expected::Any).await.unwrap();

    // Nobody listens at the first: nothing was sent, so that a write goes on to the next as well.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = gone.local_addr().unwrap();
    drop(gone);
    let store = open(&format!("etcd:{nobody},{}", etcd.member()));
    assert_eq!(&*store.get("k").await.unwrap().unwrap().value, b"1");
    store.put("k", b"2".to_vec(), Expected::Any).await.unwrap();

    // The first accepts and never answers: a write that may have arrived there is not sent again.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addresses = format!("{},{}", silent.local_addr().unwrap(), etcd.member());
    let options = RemoteOptions {
        try_timeout: Duration::from_millis(500),
        ..RemoteOptions::default()
    };
    let store = topology::open(&format!("etcd:{addresses}"), options).unwrap();
    assert_eq!(&*store.get("k").await.unwrap().unwrap().value, b"2");
    store.put("k", b"3".to_vec(), Expected::Any).await.unwrap();
    let mut watch = open(&format!("etcd:{addresses}")).watch("");
    while !matches!(next(&mut watch).await, WatchEvent::Snapshot(_)) {}
    drop(silent);
}

#[tokio::test]
async fn folders_of_one_etcd_are_stores_of_their_own() {
    let (etcd, store) = started().await;
    let other = open(&format!("etcd:{}/vitrail2", etcd.member()));
    let mut watch = other.watch("");
    assert!(matches!(next(&mut watch).await, WatchEvent::Snapshot(listing) if listing.entries.is_empty()));
    store.put("a", b"1".to_vec(), Expected::Absent).await.unwrap();
    assert_eq!(other.get("a").await.unwrap(), None);
    other.put("a", b"2".to_vec(), Expected::Absent).await.unwrap();
    assert!(matches!(next(&mut watch).await, WatchEvent::Put(entry) if &*entry.value == b"2"));
    assert_eq!(store.list("").await.unwrap().entries.len(), 1);
    let identity = async |store: &Arc<dyn Store>| store.info().await.unwrap().store_id;
    assert_ne!(identity(&store).await, identity(&other).await);
}

#[tokio::test]
async fn a_watcher_whose_changes_were_compacted_away_gets_a_snapshot() {
    let (etcd, store) = started().await;
    store.put("a/first", vec![], Expected::Any).await.unwrap();
    let mut watch = store.watch("a/");
    assert!(matches!(next(&mut watch).await, WatchEvent::Snapshot(_)));
    // More than the way to a watcher who does not read holds.
    for count in 0..600u32 {
        let mut value = vec![7; 8 << 10];
        value.extend(count.to_le_bytes());
        store.put("a/k", value, Expected::Any).await.unwrap();
    }
    store.delete("a/first", Expected::Any).await.unwrap();
    let revision = store.info().await.unwrap().revision;
    let endpoint = Endpoint::from_shared(format!("http://{}", etcd.member())).unwrap();
    let request = CompactionRequest {
        revision: revision.try_into().unwrap(),
    };
    KvClient::new(endpoint.connect_lazy())
        .compact(request)
        .await
        .unwrap();
    let mut changes = 0;
    let listing = loop {
        match next(&mut watch).await {
            WatchEvent::Snapshot(listing) => break listing,
            WatchEvent::Put(_) => changes += 1,
            event => panic!("{event:?}"),
        }
    };
    assert!(changes < 600, "the watcher did not fall behind");
    assert_eq!(listing, store.list("a/").await.unwrap());
    store.put("a/last", vec![], Expected::Any).await.unwrap();
    assert!(matches!(next(&mut watch).await, WatchEvent::Put(entry) if entry.key == "a/last"));
}

#[tokio::test]
async fn a_quiet_watch_goes_on_and_a_hanging_etcd_is_noticed() {
    let (etcd, store) = started().await;
    let mut watch = store.watch("");
    assert!(matches!(next(&mut watch).await, WatchEvent::Snapshot(_)));
    // Longer than a member may be silent that was asked.
    let quiet = timeout(Duration::from_secs(8), watch.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    store.put("a", vec![], Expected::Any).await.unwrap();
    assert!(matches!(next(&mut watch).await, WatchEvent::Put(_)));

    etcd.signal("STOP");
    assert!(matches!(next(&mut watch).await, WatchEvent::Interrupted(_)));
    assert!(matches!(store.get("a").await, Err(StoreError::Unavailable(_))));
    etcd.signal("CONT");
    while !matches!(next(&mut watch).await, WatchEvent::Snapshot(_)) {}
}

#[tokio::test]
async fn what_etcd_does_not_take_is_refused_as_invalid() {
    let etcd = Etcd::start(None);
    let store = client(&etcd);
    answers(&store).await;
    // Larger than etcd's largest request as it comes, and larger than what it even reads.
    for size in [1_700_000, 3 << 20] {
        let put = store.put("k", vec![0; size], Expected::Any).await;
        assert!(
            matches!(&put, Err(StoreError::Invalid(why)) if why.contains("--max-request-bytes")),
            "{put:?}"
        );
    }
    store.put("k", vec![0; 1_400_000], Expected::Any).await.unwrap();

    let options = RemoteOptions {
        secret: Secret::new("0123456789abcdef"),
        ..RemoteOptions::default()
    };
    let error = topology::open("etcd:localhost:1", options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "etcd:localhost:1/vitrail takes no secret: that is for Vitrail's own store"
    );
    assert!(matches!(
        topology::open("etcd:1", RemoteOptions::default()),
        Err(StoreError::Invalid(_))
    ));
}

/// Writers in several processes, each with a connection of its own.
#[tokio::test]
async fn swaps_over_several_connections_lose_nothing() {
    let (etcd, store) = started().await;
    store.put("n", b"0".to_vec(), Expected::Absent).await.unwrap();
    let adders = (0..4).map(|_| {
        let store = client(&etcd);
        tokio::spawn(async move {
            for _ in 0..20 {
                loop {
                    let entry = store.get("n").await.unwrap().unwrap();
                    let count: u32 = std::str::from_utf8(&entry.value).unwrap().parse().unwrap();
                    let next = (count + 1).to_string().into_bytes();
                    match store.put("n", next, Expected::Version(entry.version)).await {
                        Ok(_) => break,
                        Err(StoreError::Conflict { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        })
    });
    for adder in adders.collect::<Vec<_>>() {
        adder.await.unwrap();
    }
    let entries: BTreeMap<_, _> = store
        .list("")
        .await
        .unwrap()
        .entries
        .into_iter()
        .map(|entry| (entry.key, entry.value.to_vec()))
        .collect();
    assert_eq!(entries, BTreeMap::from([("n".to_owned(), b"80".to_vec())]));
}
