use std::sync::Arc;

use serde_json::json;
use topology::MemoryStore;

use super::*;

fn keyspace() -> Keyspace {
    Keyspace {
        name: "customer".into(),
        database: "customer".into(),
        shards: vec!["-80".into(), "80-".into()],
        members: 3,
        vschema: json!({"sharded": true}),
        vschema_version: 1,
        schema: "CREATE TABLE t (id INT)".into(),
    }
}

async fn apply_again(change: impl FnOnce(&mut Keyspace)) -> (Result<()>, Keyspace) {
    let store = TypedStore::new(Arc::new(MemoryStore::new()));
    let progress = Progress::new();
    apply(&store, &[keyspace()], &progress).await.unwrap();
    let mut changed = keyspace();
    change(&mut changed);
    let result = apply(&store, &[changed], &progress).await;
    (
        result,
        store
            .require::<Keyspace>("keyspaces/customer")
            .await
            .unwrap()
            .record,
    )
}

#[tokio::test]
async fn a_changed_vschema_is_applied_and_counted() {
    let (result, record) =
        apply_again(|keyspace| keyspace.vschema = json!({"sharded": true, "tables": {}})).await;
    result.unwrap();
    assert_eq!(record.vschema_version, 2);
}

#[tokio::test]
async fn a_changed_schema_is_left_to_the_user() {
    let (result, record) = apply_again(|keyspace| keyspace.schema.clear()).await;
    result.unwrap();
    assert_eq!(record, keyspace());
}

#[tokio::test]
async fn other_shards_or_members_are_refused_by_name() {
    let (result, record) = apply_again(|keyspace| keyspace.shards = vec!["-".into()]).await;
    assert!(
        result
            .unwrap_err()
            .to_string()
            .contains("customer has the shards -80 80-, the manifest says -:")
    );
    assert_eq!(record, keyspace());
    let (result, _) = apply_again(|keyspace| keyspace.members = 1).await;
    assert!(
        result
            .unwrap_err()
            .to_string()
            .contains("has 3 members per shard, the manifest says 1:")
    );
}

#[tokio::test]
async fn new_keyspaces_are_added_and_others_stay() {
    let store = TypedStore::new(Arc::new(MemoryStore::new()));
    let progress = Progress::new();
    apply(&store, &[keyspace()], &progress).await.unwrap();
    let other = Keyspace {
        name: "other".into(),
        ..keyspace()
    };
    apply(&store, &[other], &progress).await.unwrap();
    assert_eq!(store.list::<Keyspace>().await.unwrap().len(), 2);
}
