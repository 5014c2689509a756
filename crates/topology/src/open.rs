//! A store by its address, of whatever kind it is.

use std::sync::Arc;

use crate::address::Address;
use crate::etcd::{self, EtcdAddress, EtcdStore};
use crate::remote::{RemoteOptions, RemoteStore};
use crate::store::{Store, StoreError};

/// A store at `unix:PATH` or `HOST:PORT`, which Vitrail serves, or `etcd:HOST:PORT[,HOST:PORT...][/FOLDER]`. Nothing
/// is sent yet; must be called within a tokio runtime.
///
/// # Errors
/// [`StoreError::Invalid`] when the address or an option makes no sense.
pub fn open(address: &str, options: RemoteOptions) -> Result<Arc<dyn Store>, StoreError> {
    fn invalid(error: impl std::error::Error) -> StoreError {
        StoreError::Invalid(error.to_string())
    }
    if address.starts_with(etcd::SCHEME) {
        let address: EtcdAddress = address.parse().map_err(invalid)?;
        return Ok(Arc::new(EtcdStore::new(&address, &options)?));
    }
    let address: Address = address.parse().map_err(invalid)?;
    Ok(Arc::new(RemoteStore::new(&address, options)?))
}
