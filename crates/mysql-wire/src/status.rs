//! Server status flags of OK and EOF packets.

use crate::flags::flag_set;

flag_set! {
    /// Server status flags (`SERVER_*` in MySQL's documentation).
    StatusFlags: u16 {
        /// A transaction is active.
        IN_TRANS = 0;
        /// Autocommit is on.
        AUTOCOMMIT = 1;
        /// Another result follows.
        MORE_RESULTS_EXISTS = 3;
        /// The query used no good index.
        NO_GOOD_INDEX_USED = 4;
        /// The query used no index.
        NO_INDEX_USED = 5;
        /// A cursor was opened: rows come by COM_STMT_FETCH.
        CURSOR_EXISTS = 6;
        /// The cursor has sent its last row.
        LAST_ROW_SENT = 7;
        /// A database was dropped.
        DB_DROPPED = 8;
        /// The sql_mode NO_BACKSLASH_ESCAPES is on.
        NO_BACKSLASH_ESCAPES = 9;
        /// Metadata changed since the statement was prepared.
        METADATA_CHANGED = 10;
        /// The query was slow.
        QUERY_WAS_SLOW = 11;
        /// The result set holds OUT parameters of a procedure.
        PS_OUT_PARAMS = 12;
        /// The transaction is read only.
        IN_TRANS_READONLY = 13;
        /// The OK packet carries session state changes.
        SESSION_STATE_CHANGED = 14;
    }
}
