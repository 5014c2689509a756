//! Connecting to a MySQL server.
