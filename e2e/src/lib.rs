//! Whole-system tests of Vitrail: real processes, real MySQL servers, real clients.
//!
//! The tests are in `tests/`; here is what they share:
//!
//! - [`tools`]: where the programs under test and the tools of `scripts/lib` are;
//! - [`bound`]: processes and directories that are gone when the test process is, however it ends;
//! - [`plain`]: a plain mysqld, the judge of what is right;
//! - [`cluster`]: a local Vitrail cluster with ports of its own;
//! - [`answer`]: everything that a client can see of a statement's result, for comparison;
//! - [`exchange`]: everything that the protocol says of a statement, status flags included;
//! - [`statements`]: lists of statements, written and generated;
//! - [`mysqltest`]: MySQL's own test suite;
//! - [`receiver`]: a collector of traces;
//! - [`faults`]: what is broken while clients write, and whether anything was lost;
//! - [`stage`]: a gateway in front of plain servers, whose agents the test plays.

pub mod answer;
pub mod bound;
pub mod cluster;
pub mod exchange;
pub mod faults;
pub mod mysqltest;
pub mod plain;
pub mod receiver;
pub mod stage;
pub mod statements;
pub mod tools;
