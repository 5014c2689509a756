//! Whole-system tests of Vitrail: real processes, real MySQL servers, real clients.
//!
//! The tests are in `tests/`; here is what they share:
//!
//! - [`tools`]: where the programs under test and the tools of `scripts/lib` are;
//! - [`bound`]: processes and directories that are gone when the test process is, however it ends;
//! - [`plain`]: a plain mysqld, the judge of what is right.

pub mod bound;
pub mod plain;
pub mod tools;
