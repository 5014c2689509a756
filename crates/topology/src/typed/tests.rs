use std::sync::Arc;

use super::*;
use crate::keys;
use crate::memory::MemoryStore;
use crate::records::{Cell, ShardRecord};

fn store() -> TypedStore {
    TypedStore::new(Arc::new(MemoryStore::new()))
}

fn shard() -> ShardRecord {
    let voters = ["customer-x-80-1", "customer-x-80-2", "customer-x-80-3"]
        .map(str::to_owned)
        .to_vec();
    ShardRecord::new("customer", "-80", "store", voters, 1).unwrap()
}

#[tokio::test]
async fn only_one_candidate_opens_a_term() {
    let store = store();
    store.create(&shard()).await.unwrap();
    assert!(store.create(&shard()).await.unwrap_err().is_conflict());
    let key = keys::shard("customer", "-80");
    let read = store.require::<ShardRecord>(&key).await.unwrap();
    let claim = |alias: &str| {
        let mut record = read.record.clone();
        record.open_term(alias).unwrap();
        record
    };
    store.replace(&read, &claim("customer-x-80-1")).await.unwrap();
    assert!(
        store
            .replace(&read, &claim("customer-x-80-2"))
            .await
            .unwrap_err()
            .is_conflict()
    );
    let holder = store.require::<ShardRecord>(&key).await.unwrap().record.holder;
    assert_eq!(holder.as_deref(), Some("customer-x-80-1"));
}

#[tokio::test]
async fn updates_lose_nothing_to_each_other() {
    let store = store();
    store.create(&shard()).await.unwrap();
    let key = keys::shard("customer", "-80");
    let add = |_| {
        let (store, key) = (store.clone(), key.clone());
        tokio::spawn(async move {
            for _ in 0..5 {
                let change = |record: &mut ShardRecord| {
                    record.term += 1;
                    Ok::<_, TypedError>(())
                };
                while let Err(error) = store.update(&key, change).await {
                    assert!(error.is_conflict(), "{error}");
                }
            }
        })
    };
    for task in (0..8).map(add).collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(store.require::<ShardRecord>(&key).await.unwrap().record.term, 40);
}

#[tokio::test]
async fn an_update_that_changes_nothing_writes_nothing() {
    let store = store();
    let version = store.create(&Cell { name: "a".into() }).await.unwrap();
    let same = store
        .update("cells/a", |_: &mut Cell| Ok::<_, TypedError>(()))
        .await
        .unwrap();
    assert_eq!(same.version, version);
    assert_eq!(store.info().await.unwrap().revision, version);
    let missing = store
        .update("cells/b", |_: &mut Cell| Ok::<_, TypedError>(()))
        .await
        .unwrap_err();
    assert_eq!(missing.to_string(), "there is no cell record cells/b");
}

#[tokio::test]
async fn fields_of_another_version_survive_a_change() {
    let store = store();
    let mut value = serde_json::to_value(shard()).unwrap();
    value["of_the_future"] = serde_json::json!({"a": [1]});
    let key = keys::shard("customer", "-80");
    store
        .store()
        .put(&key, serde_json::to_vec(&value).unwrap(), Expected::Any)
        .await
        .unwrap();
    let open = |record: &mut ShardRecord| {
        record.term = 9;
        Ok::<_, TypedError>(())
    };
    store.update(&key, open).await.unwrap();
    let written = store.store().get(&key).await.unwrap().unwrap();
    let mut written: Value = serde_json::from_slice(&written.value).unwrap();
    assert_eq!(written["of_the_future"], value["of_the_future"]);
    assert_eq!(written["term"], 9);
    store.put(&shard()).await.unwrap();
    written = serde_json::from_slice(&store.store().get(&key).await.unwrap().unwrap().value).unwrap();
    assert_eq!(written["of_the_future"], value["of_the_future"]);
}

#[tokio::test]
async fn malformed_records_are_named() {
    let store = store();
    store
        .store()
        .put("cells/a", b"{\"name\": 1}".to_vec(), Expected::Any)
        .await
        .unwrap();
    store
        .store()
        .put("cells/b", b"{\"name\": \"c\"}".to_vec(), Expected::Any)
        .await
        .unwrap();
    store.create(&Cell { name: "d".into() }).await.unwrap();
    let error = store.get::<Cell>("cells/a").await.unwrap_err().to_string();
    assert!(
        error.starts_with("cells/a is no valid cell record: invalid type"),
        "{error}"
    );
    let error = store.get::<Cell>("cells/b").await.unwrap_err().to_string();
    assert_eq!(
        error,
        "cells/b is no valid cell record: its content belongs to cells/c"
    );
    assert!(store.list::<Cell>().await.is_err());
    let mut events = store.watch::<Cell>();
    let Some(RecordEvent::Snapshot(records)) = events.next().await else {
        panic!("no snapshot")
    };
    assert_eq!(records.len(), 1);
    assert!(matches!(events.next().await, Some(RecordEvent::Malformed(_))));
    assert!(matches!(events.next().await, Some(RecordEvent::Malformed(_))));
}
