//! The exchange between handshake response and OK.

use std::sync::Arc;

use super::{
    Account, CACHING_SHA2_PASSWORD, MYSQL_NATIVE_PASSWORD, RsaKey, generate_nonce,
    verify::{caching_sha2_matches, caching_sha2_verifier, native_matches},
};
use crate::{
    Writer,
    error::{ErrorCode, SqlError},
    message::{AuthMoreData, AuthSwitchRequest, NONCE_LEN},
};

/// More data of caching_sha2_password: the fast path succeeded, OK follows.
const FAST_AUTH_OK: u8 = 3;
/// The server needs the password itself.
const FULL_AUTH: u8 = 4;
/// The client asks for the RSA key.
const PUBLIC_KEY_REQUEST: &[u8] = &[2];

/// What the server does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send this payload and pass the client's next one to [`ServerAuth::step`].
    Send(Vec<u8>),
    /// The password is right. Send the payload, if there is one, before the OK packet.
    Accept {
        /// A last message of the plugin.
        message: Option<Vec<u8>>,
        /// SHA256(SHA256(password)) when the password itself was sent: for [`AccountStore::learned`](super::AccountStore::learned).
        learned: Option<[u8; 32]>,
    },
    /// Send this error and close the connection.
    Deny(SqlError),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A scramble of caching_sha2_password is due.
    Sha2Scramble,
    /// A scramble of mysql_native_password is due.
    NativeScramble,
    /// The password is due, in clear or by RSA, or a request for the key.
    FullPassword,
    /// The password by RSA is due.
    EncryptedPassword,
    /// Over.
    Done,
}

/// The exchange with one client.
pub struct ServerAuth {
    account: Account,
    known: bool,
    user: String,
    host: String,
    nonce: [u8; NONCE_LEN],
    secure: bool,
    rsa: Option<Arc<dyn RsaKey>>,
    state: State,
}

impl std::fmt::Debug for ServerAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerAuth")
            .field("user", &self.user)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl ServerAuth {
    /// An exchange for `user` from `host`, whose client got `nonce` in the greeting.
    ///
    /// `account` is `None` for an unknown user. `secure`: nobody listens on the transport, so that the password may travel in clear.
    #[must_use]
    pub fn new(
        user: &[u8],
        host: &str,
        account: Option<Account>,
        nonce: [u8; NONCE_LEN],
        secure: bool,
        rsa: Option<Arc<dyn RsaKey>>,
    ) -> Self {
        Self {
            known: account.is_some(),
            // Goes through the same checks as an account and matches nothing, see `finish`.
            account: account.unwrap_or(Account {
                sha2: Some([0; 32]),
                ..Account::default()
            }),
            user: String::from_utf8_lossy(user).into_owned(),
            host: host.to_owned(),
            nonce,
            secure,
            rsa,
            state: State::Done,
        }
    }

    /// The nonce that the client answered last.
    #[must_use]
    pub const fn nonce(&self) -> [u8; NONCE_LEN] {
        self.nonce
    }

    /// Starts with the client's plugin and its answer to the nonce of the greeting.
    ///
    /// `plugin` is `None` for clients without PLUGIN_AUTH: they know mysql_native_password only and cannot switch.
    pub fn start(&mut self, plugin: Option<&[u8]>, response: &[u8]) -> Action {
        let native_ok = self.account.native.is_some();
        match plugin {
            Some(CACHING_SHA2_PASSWORD) if self.has_sha2() => {
                self.state = State::Sha2Scramble;
                self.step(response)
            }
            Some(MYSQL_NATIVE_PASSWORD) | None if native_ok => {
                self.state = State::NativeScramble;
                self.step(response)
            }
            None => self.deny(!response.is_empty()),
            Some(_) => self.switch(),
        }
    }

    /// Starts over with a fresh nonce, whatever the client's plugin: for COM_CHANGE_USER.
    pub fn switch(&mut self) -> Action {
        match generate_nonce() {
            Ok(nonce) => self.nonce = nonce,
            Err(error) => return Action::Deny(error),
        }
        let plugin = if self.has_sha2() {
            self.state = State::Sha2Scramble;
            CACHING_SHA2_PASSWORD
        } else {
            self.state = State::NativeScramble;
            MYSQL_NATIVE_PASSWORD
        };
        Action::Send(payload(|w| {
            AuthSwitchRequest {
                plugin,
                data: &self.nonce,
            }
            .encode(w)
        }))
    }

    /// Takes the client's next payload.
    pub fn step(&mut self, message: &[u8]) -> Action {
        match self.state {
            // ## Sha2Scramble => (Done | FullPassword)
            State::Sha2Scramble => self.on_sha2_scramble(message),
            // ## NativeScramble => Done
            State::NativeScramble => {
                let matches = self
                    .account
                    .native
                    .is_some_and(|v| native_matches(&v, &self.nonce, message));
                self.finish(matches, !message.is_empty(), None, None)
            }
            // ## FullPassword => (Done | EncryptedPassword)
            State::FullPassword if self.secure => {
                self.on_password(message.strip_suffix(&[0]).unwrap_or(message))
            }
            State::FullPassword if message == PUBLIC_KEY_REQUEST => match &self.rsa {
                Some(key) => {
                    self.state = State::EncryptedPassword;
                    Action::Send(more_data(key.public_key_pem()))
                }
                None => self.deny(true),
            },
            State::FullPassword | State::EncryptedPassword => {
                match self.rsa.as_ref().and_then(|key| key.decrypt(message)) {
                    Some(scrambled) => {
                        let password = unmask(&scrambled, &self.nonce);
                        self.on_password(password.strip_suffix(&[0]).unwrap_or(&password))
                    }
                    None => self.deny(true),
                }
            }
            State::Done => self.deny(false),
        }
    }

    fn on_sha2_scramble(&mut self, scramble: &[u8]) -> Action {
        // A client without a password sends nothing, or a zero byte after an auth switch; no account is without.
        if scramble.is_empty() || scramble == [0] {
            return self.deny(false);
        }
        match (&self.account.sha2, &self.account.crypt) {
            (None, Some(_)) => {
                self.state = State::FullPassword;
                Action::Send(more_data(&[FULL_AUTH]))
            }
            (verifier, _) => {
                let matches = verifier.is_some_and(|v| caching_sha2_matches(&v, &self.nonce, scramble));
                self.finish(matches, true, Some(more_data(&[FAST_AUTH_OK])), None)
            }
        }
    }

    fn on_password(&mut self, password: &[u8]) -> Action {
        let digest = caching_sha2_verifier(password);
        let matches = self
            .account
            .crypt
            .as_ref()
            .is_some_and(|crypt| crypt.matches(password));
        self.finish(matches, !password.is_empty(), None, Some(digest))
    }

    fn finish(
        &mut self,
        matches: bool,
        using_password: bool,
        message: Option<Vec<u8>>,
        learned: Option<[u8; 32]>,
    ) -> Action {
        if !(matches && self.known) {
            return self.deny(using_password);
        }
        self.state = State::Done;
        if self.account.locked {
            let Self { user, host, .. } = self;
            let text = format!("Access denied for user '{user}'@'{host}'. Account is locked.");
            return Action::Deny(SqlError::new(ErrorCode::AccountHasBeenLocked, text));
        }
        Action::Accept { message, learned }
    }

    fn deny(&mut self, using_password: bool) -> Action {
        self.state = State::Done;
        let used = if using_password { "YES" } else { "NO" };
        let Self { user, host, .. } = self;
        let text = format!("Access denied for user '{user}'@'{host}' (using password: {used})");
        Action::Deny(SqlError::new(ErrorCode::AccessDenied, text))
    }

    fn has_sha2(&self) -> bool {
        self.account.sha2.is_some() || self.account.crypt.is_some() || self.account.native.is_none()
    }
}

fn more_data(data: &[u8]) -> Vec<u8> {
    payload(|w| AuthMoreData { data }.encode(w))
}

fn payload(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = bytes::BytesMut::new();
    write(&mut Writer::new(&mut out));
    out.into()
}

/// Before it is encrypted the password is XORed with the nonce, over and over.
fn unmask(scrambled: &[u8], nonce: &[u8; NONCE_LEN]) -> Vec<u8> {
    scrambled
        .iter()
        .zip(nonce.iter().cycle())
        .map(|(byte, mask)| byte ^ mask)
        .collect()
}
