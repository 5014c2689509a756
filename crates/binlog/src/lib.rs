//! What MySQL writes about its transactions: the sets of their ids. No I/O.

pub mod gtid;
