//! The syntax tree. It borrows from the statement's text, and every node knows its byte range there, so that a statement is rewritten by
//! splicing its own text and never by printing a tree.

mod call;
mod ddl;
mod dml;
mod expr;
mod ident;
mod literal;
mod query;
mod session;
mod show;
mod statement;
mod table;

pub use call::*;
pub use ddl::*;
pub use dml::*;
pub use expr::*;
pub use ident::*;
pub use literal::*;
pub use query::*;
pub use session::*;
pub use show::*;
pub use statement::*;
pub use table::*;
