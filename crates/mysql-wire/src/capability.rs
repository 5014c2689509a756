//! Capability flags that client and server agree on in the handshake.

use crate::flags::flag_set;

flag_set! {
    /// Capability flags (`CLIENT_*` in MySQL's documentation).
    Capabilities: u32 {
        /// The improved password exchange; set by every client since 4.1.
        LONG_PASSWORD = 0;
        /// Affected rows count matched rows, not changed ones.
        FOUND_ROWS = 1;
        /// Column flags of two bytes.
        LONG_FLAG = 2;
        /// The handshake response names a database.
        CONNECT_WITH_DB = 3;
        /// `database.table.column` is not allowed (unused by servers).
        NO_SCHEMA = 4;
        /// zlib compression of the protocol.
        COMPRESS = 5;
        /// ODBC client (no effect).
        ODBC = 6;
        /// LOAD DATA LOCAL is possible.
        LOCAL_FILES = 7;
        /// Spaces are allowed before `(`.
        IGNORE_SPACE = 8;
        /// The protocol of 4.1 and later.
        PROTOCOL_41 = 9;
        /// `interactive_timeout` applies instead of `wait_timeout`.
        INTERACTIVE = 10;
        /// The connection switches to TLS after the SSL request.
        SSL = 11;
        /// The client ignores SIGPIPE (no effect).
        IGNORE_SIGPIPE = 12;
        /// The server reports transaction status.
        TRANSACTIONS = 13;
        /// Deprecated name of the 4.1 protocol.
        RESERVED = 14;
        /// Authentication of 4.1: a scramble of 20 bytes.
        SECURE_CONNECTION = 15;
        /// COM_QUERY may hold several statements.
        MULTI_STATEMENTS = 16;
        /// COM_QUERY may return several results.
        MULTI_RESULTS = 17;
        /// COM_STMT_EXECUTE may return several results.
        PS_MULTI_RESULTS = 18;
        /// Authentication plugins are named.
        PLUGIN_AUTH = 19;
        /// The handshake response carries connection attributes.
        CONNECT_ATTRS = 20;
        /// The authentication response has a length-encoded length.
        PLUGIN_AUTH_LENENC_DATA = 21;
        /// The client can log in with an expired password.
        CAN_HANDLE_EXPIRED_PASSWORDS = 22;
        /// OK packets carry session state changes.
        SESSION_TRACK = 23;
        /// Result sets end with an OK packet instead of EOF packets.
        DEPRECATE_EOF = 24;
        /// Result-set metadata can be left out.
        OPTIONAL_RESULTSET_METADATA = 25;
        /// zstd compression of the protocol.
        ZSTD_COMPRESSION = 26;
        /// COM_QUERY and COM_STMT_EXECUTE carry query attributes.
        QUERY_ATTRIBUTES = 27;
        /// Multi-factor authentication.
        MULTI_FACTOR_AUTHENTICATION = 28;
        /// Reserved for an extension of this field.
        CAPABILITY_EXTENSION = 29;
        /// The client verifies the server certificate (used inside libmysqlclient only).
        SSL_VERIFY_SERVER_CERT = 30;
        /// Options of the last connect are kept (used inside libmysqlclient only).
        REMEMBER_OPTIONS = 31;
    }
}
