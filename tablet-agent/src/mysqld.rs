//! mysqld as files and a command line: its version, configuration, template and data directory.

pub mod config;
pub mod datadir;
pub mod error_log;
pub mod template;
pub mod version;
