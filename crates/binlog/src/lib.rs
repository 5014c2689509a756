//! What MySQL writes about its transactions: the sets of their ids, and the files of the binary log as far as they tell which
//! transactions are in them and where each begins. Row events are not decoded. No I/O of its own: files are read through `Read + Seek`.

mod bytes;
pub mod compare;
pub mod event;
pub mod gtid;
pub mod index;
pub mod reader;
