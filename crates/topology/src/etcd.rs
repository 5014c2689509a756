//! A store in an etcd (3.5.13 or later), which keeps it on several machines.
//!
//! Below the folder of the address lie `id`, the store's identity, and `records/`, the entries. An etcd that came
//! back empty, or as another one, is not believed: every request goes with the condition that the identity is the
//! one that was seen first.

mod address;
mod client;
mod txn;
mod watcher;

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use proto::etcd::{Compare, KeyValue, RequestOp, TxnRequest, TxnResponse};
use tokio::sync::OnceCell;

use crate::keys;
use crate::remote::RemoteOptions;
use crate::store::{Entry, Expected, Listing, Store, StoreError, StoreInfo, Version, Watch, check_entry};
pub(crate) use address::SCHEME;
pub use address::{EtcdAddress, EtcdAddressError};
use client::{Client, Link, Repeat};
use watcher::Watcher;

/// A store in an etcd. Clones share the connections. It belongs to the tokio runtime that it was made in, and must not
/// outlive that.
#[derive(Clone, Debug)]
pub struct EtcdStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    address: EtcdAddress,
    client: Client,
    /// Where the identity lies.
    id_key: String,
    /// What the keys of all entries begin with.
    records: String,
    id: OnceCell<String>,
}

impl EtcdStore {
    /// A store at that address. Nothing is sent yet; must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the address makes no URI, or a secret is given, which etcd has no use for.
    pub fn new(address: &EtcdAddress, options: &RemoteOptions) -> Result<Self, StoreError> {
        if options.secret.is_some() {
            return Err(StoreError::Invalid(format!(
                "{address} takes no secret: that is for Vitrail's own store"
            )));
        }
        let prefix = address.prefix();
        Ok(Self {
            shared: Arc::new(Shared {
                address: address.clone(),
                client: Client::new(address, options.try_timeout)?,
                id_key: format!("{prefix}id"),
                records: format!("{prefix}records/"),
                id: OnceCell::new(),
            }),
        })
    }
}

impl Shared {
    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.records)
    }

    /// The store's identity as it was first seen; the very first to look makes it.
    async fn id(&self) -> Result<&str, StoreError> {
        let id = self.id.get_or_try_init(|| async {
            let made = hex::encode(rand::random::<[u8; 16]>());
            let request = TxnRequest {
                compare: txn::is_expected(&self.id_key, Expected::Absent)
                    .into_iter()
                    .collect(),
                success: vec![txn::put(&self.id_key, made.clone().into_bytes())],
                failure: vec![txn::read(&self.id_key)],
            };
            let mut response = self.client.txn(request, Repeat::Harmless).await?;
            if response.succeeded {
                return Ok(made);
            }
            let found = txn::found(&mut response, 0).pop();
            found
                .and_then(|kv| String::from_utf8(kv.value).ok())
                .filter(|id| !id.is_empty())
                .ok_or_else(|| self.malformed())
        });
        Ok(id.await?)
    }

    /// A transaction of one request, on condition that this is still the store that was seen first, and `condition`.
    async fn request(&self, condition: Option<Compare>, op: RequestOp) -> Result<TxnRequest, StoreError> {
        let failure = match &condition {
            Some(compare) => {
                let key = String::from_utf8_lossy(&compare.key).into_owned();
                vec![txn::read(&self.id_key), txn::read_revision(&key)]
            }
            None => vec![txn::read(&self.id_key)],
        };
        let same_store = txn::has_value(&self.id_key, self.id().await?);
        Ok(TxnRequest {
            compare: std::iter::once(same_store).chain(condition).collect(),
            success: vec![op],
            failure,
        })
    }

    /// Checks that the conditions of a [`Self::request`] about `key` held.
    async fn held(&self, key: &str, mut response: TxnResponse) -> Result<TxnResponse, StoreError> {
        if response.succeeded {
            return Ok(response);
        }
        let known = self.id().await?;
        let id = txn::found(&mut response, 0).pop().map(|kv| kv.value);
        if id.as_deref() == Some(known.as_bytes()) {
            let actual = txn::found(&mut response, 1).pop();
            return Err(StoreError::Conflict {
                key: key.to_owned(),
                actual: actual.map(|kv| txn::unsigned(kv.mod_revision)),
            });
        }
        let now = match id {
            Some(id) => format!("is store {} now", String::from_utf8_lossy(&id)),
            None => "came back empty".to_owned(),
        };
        Err(StoreError::Unavailable(format!(
            "{} {now}, and was {known}",
            self.address
        )))
    }

    async fn read(&self, op: RequestOp) -> Result<TxnResponse, StoreError> {
        let request = self.request(None, op).await?;
        let response = self.client.txn(request, Repeat::Harmless).await?;
        self.held("", response).await
    }

    async fn write(&self, key: &str, expected: Expected, op: RequestOp) -> Result<TxnResponse, StoreError> {
        let condition = txn::is_expected(&self.key(key), expected);
        let request = self.request(condition, op).await?;
        let response = self.client.txn(request, Repeat::Unsafe).await?;
        self.held(key, response).await
    }

    /// All entries that start with `prefix`, from this very member.
    async fn list_at(&self, link: &Link, prefix: &str) -> Result<Listing, StoreError> {
        let request = self.request(None, txn::read_below(&self.key(prefix))).await?;
        let response = self.client.once(link, link.kv().txn(request)).await?;
        Ok(self.listing(self.held("", response).await?))
    }

    fn listing(&self, mut response: TxnResponse) -> Listing {
        let found = txn::found(&mut response, 0);
        Listing {
            entries: found.into_iter().filter_map(|kv| self.entry(kv)).collect(),
            revision: txn::revision(&response),
        }
    }

    /// The entry in a key of etcd; None for a key that none of us writes.
    fn entry(&self, kv: KeyValue) -> Option<Entry> {
        let key = String::from_utf8(kv.key).ok()?;
        Some(Entry {
            key: key.strip_prefix(&self.records)?.to_owned(),
            value: kv.value.into(),
            version: txn::unsigned(kv.mod_revision),
        })
    }

    fn malformed(&self) -> StoreError {
        StoreError::Failed(format!("{} of {} holds no identity", self.id_key, self.address))
    }
}

impl Store for EtcdStore {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, StoreError>> {
        async move {
            let mut response = self.shared.read(txn::read(&self.shared.key(key))).await?;
            let found = txn::found(&mut response, 0).pop();
            Ok(found.and_then(|kv| self.shared.entry(kv)))
        }
        .boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Listing, StoreError>> {
        async move {
            let response = self.shared.read(txn::read_below(&self.shared.key(prefix)));
            Ok(self.shared.listing(response.await?))
        }
        .boxed()
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        expected: Expected,
    ) -> BoxFuture<'a, Result<Version, StoreError>> {
        async move {
            check_entry(key, &value)?;
            let op = txn::put(&self.shared.key(key), value);
            let response = self.shared.write(key, expected, op).await?;
            Ok(txn::revision(&response))
        }
        .boxed()
    }

    fn delete<'a>(&'a self, key: &'a str, expected: Expected) -> BoxFuture<'a, Result<bool, StoreError>> {
        async move {
            keys::check(key)?;
            let op = txn::delete(&self.shared.key(key));
            let response = self.shared.write(key, expected, op).await?;
            Ok(txn::deleted(&response) > 0)
        }
        .boxed()
    }

    fn watch(&self, prefix: &str) -> Watch {
        Watcher::new(Arc::clone(&self.shared), prefix).into_stream()
    }

    fn info(&self) -> BoxFuture<'_, Result<StoreInfo, StoreError>> {
        async move {
            let shared = &self.shared;
            let response = shared.read(txn::read_revision(&shared.id_key)).await?;
            Ok(StoreInfo {
                store_id: shared.id().await?.to_owned(),
                revision: txn::revision(&response),
            })
        }
        .boxed()
    }
}
