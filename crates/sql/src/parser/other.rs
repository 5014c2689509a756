//! Statements that are only named.

use super::{Parse, Parser};
use crate::ast::{OtherKind, StatementKind};
use crate::keyword::Kw;

impl<'a> Parser<'a> {
    /// A statement by its first words, which no other rule knows.
    pub(super) fn other_statement(&mut self) -> Parse<StatementKind<'a>> {
        let start = self.start();
        let next = self.peek().kw;
        let kind = match (self.current.kw, next) {
            (Kw::XA, _) => OtherKind::Xa,
            (Kw::HANDLER, _) => OtherKind::Handler,
            (Kw::FLUSH, _) => OtherKind::Flush,
            (Kw::RESET, _) => OtherKind::Reset,
            (Kw::GRANT, _) => OtherKind::Grant,
            (Kw::REVOKE, _) => OtherKind::Revoke,
            (Kw::INSTALL | Kw::UNINSTALL, _) => OtherKind::Install,
            (Kw::CLONE, _) => OtherKind::Clone,
            (Kw::SHUTDOWN, _) => OtherKind::Shutdown,
            (Kw::RESTART, _) => OtherKind::Restart,
            (Kw::BINLOG, _) => OtherKind::Binlog,
            (Kw::CHANGE | Kw::START | Kw::STOP, _) => OtherKind::Replication,
            (Kw::PURGE, _) => OtherKind::Purge,
            (Kw::IMPORT, Kw::TABLE) => OtherKind::ImportTable,
            (Kw::CACHE, Kw::INDEX) => OtherKind::CacheIndex,
            (Kw::HELP, _) => OtherKind::Help,
            (Kw::SIGNAL | Kw::RESIGNAL | Kw::GET, _) => OtherKind::Diagnostics,
            _ => return self.fail(),
        };
        self.other(start, kind)
    }

    /// What `CREATE`, `ALTER` or `DROP` (at the current token) do to an object that no other rule knows; `None` when no word tells.
    ///
    /// Words such as OR REPLACE, DEFINER = user and AGGREGATE may stand before the object's word.
    pub(super) fn object_kind(&self) -> Option<OtherKind> {
        let verb = self.current.kw;
        let mut lexer = self.lexer;
        // Longer than any prefix, `OR REPLACE ALGORITHM = MERGE DEFINER = CURRENT_USER() SQL SECURITY INVOKER` among them.
        for _ in 0..24 {
            let token = lexer.next();
            let of = |create, alter, drop| {
                Some(match verb {
                    Kw::CREATE => create,
                    Kw::ALTER => alter,
                    _ => drop,
                })
            };
            match token.kw {
                Kw::PROCEDURE => {
                    return of(
                        OtherKind::CreateProcedure,
                        OtherKind::AlterProcedure,
                        OtherKind::DropProcedure,
                    );
                }
                Kw::FUNCTION => {
                    return of(
                        OtherKind::CreateFunction,
                        OtherKind::AlterFunction,
                        OtherKind::DropFunction,
                    );
                }
                Kw::TRIGGER => {
                    return of(
                        OtherKind::CreateTrigger,
                        OtherKind::NewObject,
                        OtherKind::DropTrigger,
                    );
                }
                Kw::EVENT => {
                    return of(
                        OtherKind::CreateEvent,
                        OtherKind::AlterEvent,
                        OtherKind::DropEvent,
                    );
                }
                Kw::USER => return of(OtherKind::CreateUser, OtherKind::AlterUser, OtherKind::DropUser),
                Kw::ROLE => return of(OtherKind::CreateRole, OtherKind::NewObject, OtherKind::DropRole),
                Kw::LIBRARY => return Some(OtherKind::Library),
                Kw::TABLESPACE | Kw::LOGFILE => return Some(OtherKind::Tablespace),
                Kw::SERVER => return Some(OtherKind::Server),
                Kw::REFERENCE => return Some(OtherKind::SpatialReferenceSystem),
                Kw::RESOURCE => return Some(OtherKind::ResourceGroup),
                Kw::INSTANCE => return Some(OtherKind::AlterInstance),
                Kw::VIEW | Kw::MASKING => return Some(OtherKind::NewObject),
                Kw::INDEX | Kw::TABLE | Kw::DATABASE | Kw::SCHEMA => return None,
                _ => {}
            }
        }
        None
    }
}
