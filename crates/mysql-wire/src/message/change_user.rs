//! COM_CHANGE_USER: authenticates again on a connection that is logged in.

use super::Attributes;
use crate::{
    Capabilities,
    error::DecodeError,
    packet::{Reader, Writer},
};

/// The body of COM_CHANGE_USER, without the command byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeUser<'a> {
    /// The user's name.
    pub user: &'a [u8],
    /// The answer of the client's plugin to the nonce of the last handshake or auth switch.
    pub auth_response: &'a [u8],
    /// The new default database; empty for none.
    pub database: &'a [u8],
    /// The client's collation, when it sends one.
    pub collation: Option<u16>,
    /// The plugin that `auth_response` is for, when the client names one.
    pub auth_plugin: Option<&'a [u8]>,
    /// Connection attributes.
    pub attributes: Attributes<'a>,
}

impl<'a> ChangeUser<'a> {
    /// Decodes the body. Fields after the database may be missing in packets of old clients.
    pub fn decode(body: &'a [u8], capabilities: Capabilities) -> Result<Self, DecodeError> {
        let mut r = Reader::new(body);
        let user = r.nul_bytes()?;
        let auth_response = if capabilities.contains(Capabilities::SECURE_CONNECTION) {
            let len = r.int1()?;
            r.bytes(usize::from(len))?
        } else {
            r.nul_bytes()?
        };
        let database = r.nul_bytes()?;
        let mut message = Self {
            user,
            auth_response,
            database,
            collation: None,
            auth_plugin: None,
            attributes: Attributes::default(),
        };
        if r.remaining() < 2 {
            return Ok(message);
        }
        message.collation = Some(r.int2()?);
        if capabilities.contains(Capabilities::PLUGIN_AUTH) && !r.is_empty() {
            message.auth_plugin = Some(r.nul_bytes()?).filter(|name| !name.is_empty());
        }
        if capabilities.contains(Capabilities::CONNECT_ATTRS) {
            message.attributes = Attributes::decode(&mut r)?;
        }
        Ok(message)
    }

    /// Encodes the body. An `auth_response` of more than 255 bytes does not fit and is cut.
    pub fn encode(&self, capabilities: Capabilities, w: &mut Writer<'_>) {
        w.nul_bytes(self.user);
        if capabilities.contains(Capabilities::SECURE_CONNECTION) {
            let len = u8::try_from(self.auth_response.len()).unwrap_or(u8::MAX);
            w.int1(len);
            w.bytes(self.auth_response.get(..usize::from(len)).unwrap_or_default());
        } else {
            w.nul_bytes(self.auth_response);
        }
        w.nul_bytes(self.database);
        let Some(collation) = self.collation else { return };
        w.int2(collation);
        if capabilities.contains(Capabilities::PLUGIN_AUTH) {
            w.nul_bytes(self.auth_plugin.unwrap_or_default());
        }
        if capabilities.contains(Capabilities::CONNECT_ATTRS) {
            self.attributes.encode(w);
        }
    }
}
