//! The client's half of the authentication exchange, as a state machine without I/O.

#[cfg(test)]
mod tests;

use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::rsa;
use crate::Error;
use crate::error::{ErrorCode, SqlError};
use crate::message::{AuthMoreData, AuthSwitchRequest, ErrPacket, NONCE_LEN};

/// More data of caching_sha2_password: the password's hash was in the server's cache, OK follows.
const FAST_AUTH_OK: &[u8] = &[3];
/// The server needs the password itself.
const FULL_AUTH: &[u8] = &[4];

/// The authentication plugins that the client knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plugin {
    CachingSha2,
    Native,
    /// Deprecated; servers also pretend it for accounts that do not exist.
    Sha256,
}

impl Plugin {
    pub(super) fn by_name(name: &[u8]) -> Option<Self> {
        [Self::CachingSha2, Self::Native, Self::Sha256]
            .into_iter()
            .find(|plugin| plugin.name() == name)
    }

    pub(super) const fn name(self) -> &'static [u8] {
        match self {
            Self::CachingSha2 => b"caching_sha2_password",
            Self::Native => b"mysql_native_password",
            Self::Sha256 => b"sha256_password",
        }
    }

    /// What proves to the server that sent `nonce` that the client knows the password; empty for no password.
    fn scramble(self, password: &[u8], nonce: &[u8]) -> Vec<u8> {
        if password.is_empty() {
            return Vec::new();
        }
        match self {
            Self::CachingSha2 => {
                let once = Sha256::digest(password);
                let mask = Sha256::new()
                    .chain_update(Sha256::digest(once))
                    .chain_update(nonce)
                    .finalize();
                xor(&once, &mask)
            }
            Self::Native => {
                let once = Sha1::digest(password);
                let mask = Sha1::new()
                    .chain_update(nonce)
                    .chain_update(Sha1::digest(once))
                    .finalize();
                xor(&once, &mask)
            }
            // Has no scramble: the password follows when the server asks for it.
            Self::Sha256 => Vec::new(),
        }
    }

    /// What asks for the server's RSA key.
    const fn key_request(self) -> u8 {
        match self {
            Self::Sha256 => 1,
            Self::CachingSha2 | Self::Native => 2,
        }
    }
}

/// How the password itself may be sent when the server asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    /// TLS or a unix socket: as it is.
    Secure,
    /// Plain TCP: encrypted with the key that the server sends.
    ServerPublicKey,
    /// Plain TCP: not at all.
    Plain,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Send this payload, then wait for the next packet.
    Send(Vec<u8>),
    /// Wait for the next packet.
    Wait,
    /// The packet was the server's OK.
    Done,
}

/// One exchange.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    password: &'a [u8],
    channel: Channel,
    plugin: Plugin,
    nonce: [u8; NONCE_LEN],
    awaits_key: bool,
}

impl<'a> Exchange<'a> {
    pub(super) fn new(password: &'a [u8], channel: Channel, plugin: Plugin, nonce: [u8; NONCE_LEN]) -> Self {
        Self {
            password,
            channel,
            plugin,
            nonce,
            awaits_key: false,
        }
    }

    pub(super) fn plugin(&self) -> Plugin {
        self.plugin
    }

    /// The nonce of the last handshake or auth switch: COM_CHANGE_USER is answered with it.
    pub(super) fn nonce(&self) -> [u8; NONCE_LEN] {
        self.nonce
    }

    /// The answer to the nonce, for handshake response and COM_CHANGE_USER.
    pub(super) fn response(&self) -> Vec<u8> {
        self.plugin.scramble(self.password, &self.nonce)
    }

    /// Takes the server's next packet.
    pub(super) fn on_packet(&mut self, payload: &[u8]) -> Result<Step, Error> {
        match payload.first() {
            Some(0x00) => Ok(Step::Done),
            Some(&ErrPacket::HEADER) => Err(ErrPacket::decode(payload)?.to_sql_error().into()),
            Some(&AuthSwitchRequest::HEADER) => self.on_switch(AuthSwitchRequest::decode(payload)?),
            Some(&AuthMoreData::HEADER) => self.on_more_data(AuthMoreData::decode(payload)?.data),
            _ => Err(Error::Unexpected("packet during authentication")),
        }
    }

    fn on_switch(&mut self, request: AuthSwitchRequest<'_>) -> Result<Step, Error> {
        self.plugin = Plugin::by_name(request.plugin).ok_or_else(|| {
            let name = String::from_utf8_lossy(request.plugin);
            SqlError::new(
                ErrorCode::CrAuthPluginCannotLoad,
                format!("Authentication plugin '{name}' cannot be loaded: not supported"),
            )
        })?;
        self.nonce = request
            .data
            .try_into()
            .map_err(|_| Error::Unexpected("nonce in an auth switch request"))?;
        self.awaits_key = false;
        match self.plugin {
            Plugin::Sha256 => self.send_password(),
            Plugin::CachingSha2 | Plugin::Native => Ok(Step::Send(self.response())),
        }
    }

    fn on_more_data(&mut self, data: &[u8]) -> Result<Step, Error> {
        if self.plugin == Plugin::Native {
            return Err(Error::Unexpected("more data of an authentication plugin"));
        }
        if self.awaits_key {
            self.awaits_key = false;
            let mut hidden = self.clear_password();
            for (byte, mask) in hidden.iter_mut().zip(self.nonce.iter().cycle()) {
                *byte ^= mask;
            }
            let encrypted = rsa::encrypt(data, &hidden).map_err(|e| self.error(&e.to_string()))?;
            return Ok(Step::Send(encrypted));
        }
        match data {
            FAST_AUTH_OK => Ok(Step::Wait),
            FULL_AUTH => self.send_password(),
            _ => Err(Error::Unexpected("more data of an authentication plugin")),
        }
    }

    fn send_password(&mut self) -> Result<Step, Error> {
        match self.channel {
            Channel::Secure => Ok(Step::Send(self.clear_password())),
            Channel::ServerPublicKey => {
                self.awaits_key = true;
                Ok(Step::Send(vec![self.plugin.key_request()]))
            }
            Channel::Plain => Err(self.error("Authentication requires secure connection.")),
        }
    }

    /// Error 2061 in the words of MySQL's clients.
    fn error(&self, reason: &str) -> Error {
        let plugin = String::from_utf8_lossy(self.plugin.name());
        let message = format!("Authentication plugin '{plugin}' reported error: {reason}");
        SqlError::new(ErrorCode::CrAuthPlugin, message).into()
    }

    fn clear_password(&self) -> Vec<u8> {
        let mut password = self.password.to_vec();
        password.push(0);
        password
    }
}

fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}
