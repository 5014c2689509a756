//! The first word of a statement.

use crate::keyword::Kw;

/// What kind of statement the first word announces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the words")]
pub enum Verb {
    /// Nothing but spaces and comments.
    #[default]
    Empty,
    Select,
    /// `(`: a parenthesised query.
    Paren,
    With,
    Table,
    Values,
    Insert,
    Replace,
    Update,
    Delete,
    Begin,
    Start,
    Commit,
    Rollback,
    Savepoint,
    Release,
    Set,
    Use,
    Show,
    Explain,
    Vexplain,
    Call,
    Do,
    Load,
    Lock,
    Unlock,
    Xa,
    Handler,
    Prepare,
    Execute,
    Deallocate,
    Create,
    Alter,
    Drop,
    Rename,
    Truncate,
    Kill,
    Flush,
    /// ANALYZE, CHECK, CHECKSUM, OPTIMIZE, REPAIR.
    Maintenance,
    Other,
}

impl Verb {
    pub(super) fn of(word: &[u8]) -> Self {
        // The most frequent word goes first.
        if word.eq_ignore_ascii_case(b"SELECT") {
            return Self::Select;
        }
        match Kw::of(word) {
            Kw::WITH => Self::With,
            Kw::TABLE => Self::Table,
            Kw::VALUES => Self::Values,
            Kw::INSERT => Self::Insert,
            Kw::REPLACE => Self::Replace,
            Kw::UPDATE => Self::Update,
            Kw::DELETE => Self::Delete,
            Kw::BEGIN => Self::Begin,
            Kw::START => Self::Start,
            Kw::COMMIT => Self::Commit,
            Kw::ROLLBACK => Self::Rollback,
            Kw::SAVEPOINT => Self::Savepoint,
            Kw::RELEASE => Self::Release,
            Kw::SET => Self::Set,
            Kw::USE => Self::Use,
            Kw::SHOW => Self::Show,
            Kw::EXPLAIN | Kw::DESCRIBE | Kw::DESC => Self::Explain,
            Kw::VEXPLAIN => Self::Vexplain,
            Kw::CALL => Self::Call,
            Kw::DO => Self::Do,
            Kw::LOAD => Self::Load,
            Kw::LOCK => Self::Lock,
            Kw::UNLOCK => Self::Unlock,
            Kw::XA => Self::Xa,
            Kw::HANDLER => Self::Handler,
            Kw::PREPARE => Self::Prepare,
            Kw::EXECUTE => Self::Execute,
            Kw::DEALLOCATE => Self::Deallocate,
            Kw::CREATE => Self::Create,
            Kw::ALTER => Self::Alter,
            Kw::DROP => Self::Drop,
            Kw::RENAME => Self::Rename,
            Kw::TRUNCATE => Self::Truncate,
            Kw::KILL => Self::Kill,
            Kw::FLUSH => Self::Flush,
            Kw::ANALYZE | Kw::CHECK | Kw::CHECKSUM | Kw::OPTIMIZE | Kw::REPAIR => Self::Maintenance,
            _ => Self::Other,
        }
    }
}
