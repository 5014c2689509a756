//! The account that CREATE and ALTER of views and stored programs name as their definer.

use super::Parser;
use crate::ast::Definer;
use crate::keyword::Kw;
use crate::lexer::Tok;

impl Parser<'_> {
    /// The account after `DEFINER =`, looked for from CREATE or ALTER (at the current token) on; `None` for CURRENT_USER.
    ///
    /// Only what MySQL allows before it is skipped, so that nothing else in a statement is taken for a definer.
    pub(super) fn definer(&self) -> Option<Definer> {
        if !self.at_any(&[Kw::CREATE, Kw::ALTER]) {
            return None;
        }
        let mut lexer = self.lexer;
        loop {
            let more = match lexer.next().kw {
                Kw::OR => lexer.next().kw == Kw::REPLACE,
                Kw::ALGORITHM => lexer.next().tok == Tok::Eq && lexer.next().tok == Tok::Word,
                Kw::DEFINER => break,
                _ => false,
            };
            if !more {
                return None;
            }
        }
        if lexer.next().tok != Tok::Eq {
            return None;
        }
        let user = lexer.next();
        let names = match user.tok {
            Tok::QuotedIdent | Tok::String => true,
            Tok::Word => user.kw != Kw::CURRENT_USER,
            _ => false,
        };
        let host = lexer.next();
        names.then(|| Definer {
            user: user.span,
            host: (host.tok == Tok::UserVar).then_some(host.span),
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use crate::lexer::LexOptions;
    use crate::mode::LexMode;
    use crate::parser::parse;

    /// The text with CURRENT_USER for its definer.
    fn replaced(text: &str, mode: LexMode) -> String {
        let options = LexOptions {
            mode,
            ..LexOptions::default()
        };
        let statement = parse(text.as_bytes(), options).unwrap();
        let Some(definer) = statement.definer else {
            return text.to_owned();
        };
        let mut out = text.to_owned();
        if let Some(host) = definer.host {
            out.replace_range(host.start as usize..host.end as usize, "");
        }
        out.replace_range(
            definer.user.start as usize..definer.user.end as usize,
            "CURRENT_USER",
        );
        out
    }

    #[test]
    fn is_found_however_it_is_written() {
        for (text, expected) in [
            (
                "CREATE DEFINER=`a`@`%` PROCEDURE p() SELECT 'DEFINER=`a`@`%`'",
                "CREATE DEFINER=CURRENT_USER PROCEDURE p() SELECT 'DEFINER=`a`@`%`'",
            ),
            (
                "create definer = 'a b'@'10.0.0.1' function f() returns int return 1",
                "create definer = CURRENT_USER function f() returns int return 1",
            ),
            (
                "CREATE DEFINER=\"a\"@\"b\" EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
                "CREATE DEFINER=CURRENT_USER EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
            ),
            (
                "ALTER DEFINER=root@local.host EVENT e DISABLE",
                "ALTER DEFINER=CURRENT_USER EVENT e DISABLE",
            ),
            (
                "ALTER DEFINER=root EVENT e DISABLE",
                "ALTER DEFINER=CURRENT_USER EVENT e DISABLE",
            ),
            (
                "CREATE OR REPLACE ALGORITHM=MERGE DEFINER=`a``b`@`c` SQL SECURITY DEFINER VIEW v AS SELECT 1",
                "CREATE OR REPLACE ALGORITHM=MERGE DEFINER=CURRENT_USER SQL SECURITY DEFINER VIEW v AS SELECT 1",
            ),
            (
                "alter definer=`a`@`b` view v as select 1",
                "alter definer=CURRENT_USER view v as select 1",
            ),
            // As mysqldump writes them.
            (
                "/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`a`@`b` SQL SECURITY DEFINER */\n/*!50001 VIEW `v` AS select 1 AS `1` */",
                "/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=CURRENT_USER SQL SECURITY DEFINER */\n/*!50001 VIEW `v` AS select 1 AS `1` */",
            ),
            (
                "/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`b`*/ /*!50003 TRIGGER `t` AFTER INSERT ON `c` FOR EACH ROW SET @a = 1 */",
                "/*!50003 CREATE*/ /*!50017 DEFINER=CURRENT_USER*/ /*!50003 TRIGGER `t` AFTER INSERT ON `c` FOR EACH ROW SET @a = 1 */",
            ),
            (
                "/*!50106 CREATE*/ /*!50117 DEFINER=`a`@`b`*/ /*!50106 EVENT `e` ON SCHEDULE EVERY 1 DAY DO SELECT 1 */",
                "/*!50106 CREATE*/ /*!50117 DEFINER=CURRENT_USER*/ /*!50106 EVENT `e` ON SCHEDULE EVERY 1 DAY DO SELECT 1 */",
            ),
            // Comments, and ends of comments, stay.
            (
                "CREATE/**/DEFINER -- x\n=/* y */`a` /*!50000 */ @`b`/*z*/PROCEDURE p() SELECT 1",
                "CREATE/**/DEFINER -- x\n=/* y */CURRENT_USER /*!50000 */ /*z*/PROCEDURE p() SELECT 1",
            ),
        ] {
            assert_eq!(replaced(text, LexMode::NONE), expected);
        }
        assert_eq!(
            replaced(
                "CREATE DEFINER=\"a\"@\"b\" PROCEDURE p() SELECT 1",
                LexMode::ANSI_QUOTES
            ),
            "CREATE DEFINER=CURRENT_USER PROCEDURE p() SELECT 1"
        );
    }

    #[test]
    fn what_names_nobody_stays() {
        for text in [
            "CREATE DEFINER=CURRENT_USER PROCEDURE p() SELECT 1",
            "CREATE DEFINER = current_user() VIEW v AS SELECT 1",
            "CREATE SQL SECURITY DEFINER VIEW v AS SELECT definer = `a` FROM t",
            "CREATE TABLE t (definer INT CHECK (definer = 1))",
            "CREATE PROCEDURE p() SELECT definer = `a` FROM t",
            "CREATE /* DEFINER=`a`@`b` */ PROCEDURE p() SELECT 1",
            "ALTER TABLE t ADD definer INT",
            "SELECT definer = `a` FROM t",
        ] {
            assert_eq!(replaced(text, LexMode::NONE), text);
        }
    }
}
