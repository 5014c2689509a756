//! What the stores of this process have in common: they differ in where a change is kept.

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::live::Live;
use crate::store::{Entry, Expected, Listing, Store, StoreError, StoreInfo, Version, Watch};
use crate::table::{Change, Table};

/// Makes a change out of the table as it is; none when there is nothing to do.
pub(crate) type Plan = Box<dyn FnOnce(&Table) -> Result<Option<Change>, StoreError> + Send>;

/// A store whose table is in this process.
pub(crate) trait LocalStore: std::fmt::Debug + Send + Sync {
    /// The table.
    fn live(&self) -> &Live;

    /// The store's identity.
    fn store_id(&self) -> &str;

    /// Plans a change, keeps it and applies it, with no other write between.
    fn write(&self, plan: Plan) -> BoxFuture<'_, Result<Option<Change>, StoreError>>;
}

impl<S: LocalStore> Store for S {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, StoreError>> {
        async move { Ok(self.live().read(|table| table.get(key))) }.boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Listing, StoreError>> {
        async move { Ok(self.live().read(|table| table.list(prefix))) }.boxed()
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: Vec<u8>,
        expected: Expected,
    ) -> BoxFuture<'a, Result<Version, StoreError>> {
        let key = key.to_owned();
        let plan = move |table: &Table| table.plan_put(&key, value, expected).map(Some);
        async move {
            let change = self.write(Box::new(plan)).await?;
            Ok(change.as_ref().map_or(0, Change::revision))
        }
        .boxed()
    }

    fn delete<'a>(&'a self, key: &'a str, expected: Expected) -> BoxFuture<'a, Result<bool, StoreError>> {
        let key = key.to_owned();
        let plan = move |table: &Table| table.plan_delete(&key, expected);
        async move { Ok(self.write(Box::new(plan)).await?.is_some()) }.boxed()
    }

    fn watch(&self, prefix: &str) -> Watch {
        self.live().watch(prefix)
    }

    fn info(&self) -> BoxFuture<'_, Result<StoreInfo, StoreError>> {
        async move {
            Ok(StoreInfo {
                store_id: self.store_id().to_owned(),
                revision: self.live().read(Table::revision),
            })
        }
        .boxed()
    }
}
