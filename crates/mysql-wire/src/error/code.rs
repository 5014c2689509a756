//! MySQL's error numbers that Vitrail raises or looks at, with their SQLSTATE.

macro_rules! error_codes {
    ($($(#[$meta:meta])* $name:ident = $number:literal, $state:literal;)*) => {
        /// An error number (`ER_*`, `CR_*`) that Vitrail raises or looks at.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum ErrorCode {
            $($(#[$meta])* $name = $number,)*
        }

        impl ErrorCode {
            /// MySQL's number of the error.
            #[must_use]
            pub const fn number(self) -> u16 {
                self as u16
            }
        }

        /// The SQLSTATE that MySQL gives to an error number; HY000 for numbers that are not known here.
        #[must_use]
        pub const fn sql_state(code: u16) -> [u8; 5] {
            match code {
                $($number => *$state,)*
                _ => *b"HY000",
            }
        }
    };
}

error_codes! {
    /// The database exists already.
    DbCreateExists = 1007, b"HY000";
    /// The database to be dropped does not exist.
    DbDropExists = 1008, b"HY000";
    /// The disk is full.
    DiskFull = 1021, b"HY000";
    /// Too many connections.
    ConCount = 1040, b"08004";
    /// Out of memory or other resources.
    OutOfResources = 1041, b"HY000";
    /// The handshake failed.
    Handshake = 1043, b"08S01";
    /// No access to the database.
    DbAccessDenied = 1044, b"42000";
    /// Wrong user or password.
    AccessDenied = 1045, b"28000";
    /// No database is selected.
    NoDb = 1046, b"3D000";
    /// An unknown command.
    UnknownCom = 1047, b"08S01";
    /// A column cannot be NULL.
    BadNull = 1048, b"23000";
    /// An unknown database.
    BadDb = 1049, b"42000";
    /// The table exists already.
    TableExists = 1050, b"42S01";
    /// A table to be dropped is unknown.
    BadTable = 1051, b"42S02";
    /// An ambiguous column.
    NonUniq = 1052, b"23000";
    /// The server shuts down.
    ServerShutdown = 1053, b"08S01";
    /// An unknown column.
    BadField = 1054, b"42S22";
    /// A select item is not functionally dependent on GROUP BY.
    WrongFieldWithGroup = 1055, b"42000";
    /// A duplicate key.
    DupEntry = 1062, b"23000";
    /// A syntax error.
    Parse = 1064, b"42000";
    /// The query was empty.
    EmptyQuery = 1065, b"42000";
    /// A table name or alias is not unique.
    NonuniqTable = 1066, b"42000";
    /// An unknown thread id.
    NoSuchThread = 1094, b"HY000";
    /// Not the owner of the thread.
    KillDenied = 1095, b"HY000";
    /// An error without a number of its own.
    Unknown = 1105, b"HY000";
    /// An unknown table in a clause.
    UnknownTable = 1109, b"42S02";
    /// An unknown character set.
    UnknownCharacterSet = 1115, b"42000";
    /// The host is blocked.
    HostIsBlocked = 1129, b"HY000";
    /// The host may not connect.
    HostNotPrivileged = 1130, b"HY000";
    /// Column and value counts differ.
    WrongValueCountOnRow = 1136, b"21S01";
    /// A command on a table is denied.
    TableAccessDenied = 1142, b"42000";
    /// The table does not exist.
    NoSuchTable = 1146, b"42S02";
    /// The connection is aborted.
    AbortingConnection = 1152, b"08S01";
    /// A packet is larger than max_allowed_packet.
    NetPacketTooLarge = 1153, b"08S01";
    /// Reading from the pipe failed.
    NetReadErrorFromPipe = 1154, b"08S01";
    /// Setting the socket's mode failed.
    NetFcntl = 1155, b"08S01";
    /// A packet has the wrong sequence id.
    NetPacketsOutOfOrder = 1156, b"08S01";
    /// A compressed packet is broken.
    NetUncompress = 1157, b"08S01";
    /// Reading a packet failed.
    NetRead = 1158, b"08S01";
    /// Reading a packet timed out.
    NetReadInterrupted = 1159, b"08S01";
    /// Writing a packet failed.
    NetErrorOnWrite = 1160, b"08S01";
    /// Writing a packet timed out.
    NetWriteInterrupted = 1161, b"08S01";
    /// Not allowed inside a transaction.
    CantDoThisDuringTransaction = 1179, b"25000";
    /// The commit failed.
    ErrorDuringCommit = 1180, b"HY000";
    /// The connection is aborted, with its reason.
    NewAbortingConnection = 1184, b"08S01";
    /// Reading from the replication source failed.
    NetErrorFromSource = 1189, b"08S01";
    /// Not allowed with locked tables or an active transaction.
    LockOrActiveTransaction = 1192, b"HY000";
    /// An unknown system variable.
    UnknownSystemVariable = 1193, b"HY000";
    /// The user has too many connections.
    TooManyUserConnections = 1203, b"42000";
    /// Waiting for a lock timed out.
    LockWaitTimeout = 1205, b"HY000";
    /// Wrong arguments.
    WrongArguments = 1210, b"HY000";
    /// The user may not create users.
    NoPermissionToCreateUser = 1211, b"42000";
    /// A deadlock; the transaction was rolled back.
    LockDeadlock = 1213, b"40001";
    /// The selects of a union differ in their number of columns.
    WrongNumberOfColumnsInSelect = 1222, b"21000";
    /// A limit of the user is reached.
    UserLimitReached = 1226, b"42000";
    /// A privilege is missing.
    SpecificAccessDenied = 1227, b"42000";
    /// The variable is a session variable.
    LocalVariable = 1228, b"HY000";
    /// The variable is a global variable.
    GlobalVariable = 1229, b"HY000";
    /// The variable has no default value.
    NoDefault = 1230, b"42000";
    /// A variable cannot be set to the value.
    WrongValueForVar = 1231, b"42000";
    /// A value of the wrong type for a variable.
    WrongTypeForVar = 1232, b"42000";
    /// The construct is not supported.
    NotSupportedYet = 1235, b"42000";
    /// The variable is of the other scope, or read only.
    IncorrectGlobalLocalVar = 1238, b"HY000";
    /// A subquery returns more than one row.
    SubqueryNo1Row = 1242, b"21000";
    /// An unknown prepared statement.
    UnknownStmtHandler = 1243, b"HY000";
    /// A derived table has no alias.
    DerivedMustHaveAlias = 1248, b"42000";
    /// The client does not know the authentication plugin.
    NotSupportedAuthMode = 1251, b"08004";
    /// A value is out of range.
    WarnDataOutOfRange = 1264, b"22003";
    /// An unknown collation.
    UnknownCollation = 1273, b"HY000";
    /// An option of the server forbids the statement.
    OptionPreventsStatement = 1290, b"HY000";
    /// The command cannot be prepared.
    UnsupportedPs = 1295, b"HY000";
    /// An unknown time zone.
    UnknownTimeZone = 1298, b"HY000";
    /// The stored program does not exist.
    SpDoesNotExist = 1305, b"42000";
    /// The statement was interrupted.
    QueryInterrupted = 1317, b"70100";
    /// A value does not fit its column.
    TruncatedWrongValueForField = 1366, b"HY000";
    /// Too many placeholders.
    PsManyParam = 1390, b"HY000";
    /// An unknown XID.
    XaerNota = 1397, b"XAE04";
    /// The XA command does not fit the transaction's state.
    XaerRmfail = 1399, b"XAE07";
    /// The XA branch was rolled back.
    XaRbrollback = 1402, b"XA100";
    /// Too many prepared statements.
    MaxPreparedStmtCountReached = 1461, b"42000";
    /// The isolation level cannot change inside a transaction.
    CantChangeTxCharacteristics = 1568, b"25001";
    /// The XA branch was rolled back by a deadlock.
    XaRbdeadlock = 1614, b"XA102";
    /// An error of SIGNAL without a number.
    SignalException = 1645, b"HY000";
    /// A computed value is out of range.
    DataOutOfRange = 1690, b"22003";
    /// A write in a read-only transaction.
    CantExecuteInReadOnlyTransaction = 1792, b"25006";
    /// The password must be changed first.
    MustChangePassword = 1820, b"HY000";
    /// A message cannot be decoded.
    MalformedPacket = 1835, b"HY000";
    /// The server is read only.
    ReadOnlyMode = 1836, b"HY000";
    /// The password has expired, and the client cannot change it.
    MustChangePasswordLogin = 1862, b"HY000";
    /// Client side: the server cannot be reached.
    CrConnHost = 2003, b"HY000";
    /// Client side: the connection is gone.
    CrServerGone = 2006, b"HY000";
    /// Client side: the connection was lost during a query.
    CrServerLost = 2013, b"HY000";
    /// Client side: TLS failed.
    CrSslConnection = 2026, b"HY000";
    /// Client side: an unknown authentication plugin.
    CrAuthPluginCannotLoad = 2059, b"HY000";
    /// Client side: the authentication plugin reports an error.
    CrAuthPlugin = 2061, b"HY000";
    /// max_execution_time is exceeded.
    QueryTimeout = 3024, b"HY000";
    /// A hook stopped the operation.
    RunHook = 3100, b"HY000";
    /// The account is locked.
    AccountHasBeenLocked = 3118, b"HY000";
    /// Only secure connections are allowed.
    SecureTransportRequired = 3159, b"HY000";
    /// The session was killed.
    SessionWasKilled = 3169, b"HY000";
    /// The client was idle for too long.
    ClientInteractionTimeout = 4031, b"HY000";
}
