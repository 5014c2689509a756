//! COM_CHANGE_USER: authentication on a connection that is logged in.

use std::sync::Arc;

use super::{Connection, ConnectionAttributes, ServerConfig, login::exchange};
use crate::{
    Capabilities,
    auth::{AccountStore, ServerAuth},
    error::Error,
    message::{ChangeUser, NONCE_LEN},
};

impl Connection {
    /// Authenticates the user of a COM_CHANGE_USER command and takes over its identity, database and collation.
    ///
    /// The nonce of the greeting is not used again: the client answers a fresh one. The caller resets the session and answers
    /// with OK or an error. On failure the client was told and the connection is closed.
    pub async fn change_user(
        &mut self,
        request: &ChangeUser<'_>,
        config: &ServerConfig,
        accounts: &impl AccountStore,
    ) -> Result<(), Error> {
        let account = accounts.account(request.user);
        let secure = self.stream.transport().is_secure();
        let rsa = config.rsa.as_ref().map(Arc::clone);
        let mut auth = ServerAuth::new(request.user, &self.host, account, [0; NONCE_LEN], secure, rsa);
        let first = if self.capabilities.contains(Capabilities::PLUGIN_AUTH) {
            auth.switch()
        } else {
            // Without plugins a client cannot be given another nonce, and the old one was used.
            auth.start(None, &[])
        };
        exchange(
            &mut self.stream,
            &mut auth,
            first,
            self.capabilities,
            accounts,
            request.user,
        )
        .await?;
        self.user = request.user.into();
        self.database = Some(request.database)
            .filter(|name| !name.is_empty())
            .map(Into::into);
        if let Some(collation) = request.collation {
            self.collation = collation;
        }
        self.attributes = ConnectionAttributes::new(&request.attributes);
        Ok(())
    }
}
