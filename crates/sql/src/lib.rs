//! MySQL's SQL: lexer, fingerprint, syntax tree and parser.
//!
//! A statement is a byte string (it need not be UTF-8); positions are byte offsets into it. Nothing here knows about tables, shards or
//! sessions beyond the `sql_mode` bits and the client character set that decide how a text is read.

pub mod ast;
pub mod charset;
pub mod error;
pub mod fingerprint;
mod keyword;
pub mod lexer;
pub mod mode;
pub mod parser;
mod scan;
pub mod span;
pub mod split;
pub mod text;
pub mod visit;
