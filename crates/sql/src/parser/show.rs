//! SHOW.

use super::{Parse, Parser};
use crate::ast::{Ident, ObjectName, Show, ShowCreate, ShowFilter, ShowKind, VarScope};
use crate::keyword::Kw;
use crate::lexer::Tok;

impl<'a> Parser<'a> {
    pub(super) fn show(&mut self) -> Parse<Show<'a>> {
        let start = self.bump().span.start;
        let kind = self.show_kind()?;
        let filter = if self.eat_kw(Kw::LIKE) {
            ShowFilter::Like(self.string_literal()?)
        } else if self.eat_kw(Kw::WHERE) {
            ShowFilter::Where(self.expr()?)
        } else {
            ShowFilter::None
        };
        let limit = self.limit()?;
        Ok(Show {
            span: self.since(start),
            kind,
            filter,
            limit,
        })
    }

    fn show_kind(&mut self) -> Parse<ShowKind<'a>> {
        let start = self.start();
        let extended = self.eat_kw(Kw::EXTENDED);
        let full = self.eat_kw(Kw::FULL);
        let next = self.peek().kw;
        let kind = match self.current.kw {
            Kw::TABLES => {
                self.bump();
                return Ok(ShowKind::Tables {
                    full,
                    from: self.show_schema()?,
                });
            }
            Kw::COLUMNS | Kw::FIELDS => {
                self.bump();
                return Ok(ShowKind::Columns {
                    full,
                    table: self.show_table()?,
                });
            }
            Kw::INDEX | Kw::INDEXES | Kw::KEYS => {
                self.bump();
                return Ok(ShowKind::Index(self.show_table()?));
            }
            Kw::TRIGGERS => {
                self.bump();
                return Ok(ShowKind::Triggers(self.show_schema()?));
            }
            Kw::PROCESSLIST => ShowKind::Processlist { full },
            _ if extended || full => return self.fail(),
            Kw::EVENTS => {
                self.bump();
                return Ok(ShowKind::Events(self.show_schema()?));
            }
            Kw::TABLE if next == Kw::STATUS => {
                self.bump();
                self.bump();
                return Ok(ShowKind::TableStatus(self.show_schema()?));
            }
            Kw::OPEN if next == Kw::TABLES => {
                self.bump();
                self.bump();
                return Ok(ShowKind::OpenTables(self.show_schema()?));
            }
            Kw::CREATE => return self.show_create(),
            Kw::GLOBAL | Kw::SESSION | Kw::LOCAL | Kw::VARIABLES | Kw::STATUS => {
                return self.show_variables();
            }
            Kw::COUNT => return self.show_count(),
            Kw::ENGINE | Kw::PROFILE | Kw::GRANTS | Kw::BINLOG | Kw::RELAYLOG | Kw::PARSE_TREE => {
                return self.show_rest();
            }
            Kw::REPLICA
            | Kw::SLAVE
            | Kw::BINARY
            | Kw::MASTER
            | Kw::PROCEDURE
            | Kw::FUNCTION
            | Kw::LIBRARY => {
                return self.show_two_words();
            }
            Kw::STORAGE if next == Kw::ENGINES => {
                self.bump();
                ShowKind::Engines
            }
            Kw::CHARACTER | Kw::CHAR if next == Kw::SET => {
                self.bump();
                ShowKind::CharacterSet
            }
            Kw::CHARSET => ShowKind::CharacterSet,
            Kw::DATABASES | Kw::SCHEMAS => ShowKind::Databases,
            Kw::WARNINGS => ShowKind::Warnings,
            Kw::ERRORS => ShowKind::Errors,
            Kw::COLLATION => ShowKind::Collation,
            Kw::ENGINES => ShowKind::Engines,
            Kw::PLUGINS => ShowKind::Plugins,
            Kw::PRIVILEGES => ShowKind::Privileges,
            Kw::PROFILES => ShowKind::Profiles,
            Kw::REPLICAS => ShowKind::Replicas,
            Kw::VITRAIL => {
                self.bump();
                let token = self.current;
                if token.tok != Tok::Word {
                    return self.fail();
                }
                ShowKind::Vitrail(self.to_ident(token))
            }
            _ if self.at(Tok::Word) => {
                let token = self.current;
                let name = self.to_ident(token);
                if name.value.len() > 7
                    && name
                        .value
                        .get(..7)
                        .is_some_and(|word| word.eq_ignore_ascii_case(b"VITESS_"))
                {
                    ShowKind::Vitrail(name)
                } else {
                    self.skip_to_statement_end()?;
                    return Ok(ShowKind::Other(self.since(start)));
                }
            }
            _ => return self.fail(),
        };
        self.bump();
        Ok(kind)
    }

    /// `[FROM|IN schema]`.
    fn show_schema(&mut self) -> Parse<Option<Ident<'a>>> {
        if self.eat_any(&[Kw::FROM, Kw::IN]).is_some() {
            self.ident().map(Some)
        } else {
            Ok(None)
        }
    }

    /// `FROM|IN table [FROM|IN schema]`.
    fn show_table(&mut self) -> Parse<ObjectName<'a>> {
        if self.eat_any(&[Kw::FROM, Kw::IN]).is_none() {
            return self.fail();
        }
        let mut table = self.object_name()?;
        if let Some(schema) = self.show_schema()? {
            table.schema = Some(schema);
        }
        Ok(table)
    }

    fn show_create(&mut self) -> Parse<ShowKind<'a>> {
        self.bump();
        let word = self.bump().kw;
        let object = match word {
            Kw::TABLE => ShowCreate::Table,
            Kw::VIEW => ShowCreate::View,
            Kw::TRIGGER => ShowCreate::Trigger,
            Kw::PROCEDURE => ShowCreate::Procedure,
            Kw::FUNCTION => ShowCreate::Function,
            Kw::EVENT => ShowCreate::Event,
            Kw::LIBRARY => ShowCreate::Library,
            Kw::DATABASE | Kw::SCHEMA => {
                self.eat_kws(&[Kw::IF, Kw::NOT, Kw::EXISTS]);
                return Ok(ShowKind::CreateDatabase(self.ident()?));
            }
            Kw::USER => {
                self.skip_to_statement_end()?;
                return Ok(ShowKind::CreateUser);
            }
            _ => return self.fail(),
        };
        Ok(ShowKind::Create(object, self.object_name()?))
    }

    fn show_variables(&mut self) -> Parse<ShowKind<'a>> {
        let scope = match self.current.kw {
            Kw::GLOBAL => VarScope::Global,
            Kw::SESSION | Kw::LOCAL => VarScope::Session,
            _ => VarScope::Implicit,
        };
        if scope != VarScope::Implicit {
            self.bump();
        }
        match self.eat_any(&[Kw::VARIABLES, Kw::STATUS]) {
            Some(Kw::VARIABLES) => Ok(ShowKind::Variables(scope)),
            Some(_) => Ok(ShowKind::Status(scope)),
            None => self.fail(),
        }
    }

    /// `COUNT(*) WARNINGS|ERRORS`.
    fn show_count(&mut self) -> Parse<ShowKind<'a>> {
        self.bump();
        self.expect(Tok::LParen)?;
        self.expect(Tok::Star)?;
        self.expect(Tok::RParen)?;
        match self.eat_any(&[Kw::WARNINGS, Kw::ERRORS]) {
            Some(Kw::WARNINGS) => Ok(ShowKind::CountWarnings),
            Some(_) => Ok(ShowKind::CountErrors),
            None => self.fail(),
        }
    }

    /// Kinds whose words go on in ways that have no nodes.
    fn show_rest(&mut self) -> Parse<ShowKind<'a>> {
        let kind = match self.bump().kw {
            Kw::ENGINE => ShowKind::Engine,
            Kw::PROFILE => ShowKind::Profile,
            Kw::GRANTS => ShowKind::Grants,
            Kw::PARSE_TREE => ShowKind::ParseTree,
            _ => {
                self.expect_kw(Kw::EVENTS)?;
                ShowKind::LogEvents
            }
        };
        self.skip_to_statement_end()?;
        Ok(kind)
    }

    fn show_two_words(&mut self) -> Parse<ShowKind<'a>> {
        let first = self.bump().kw;
        let second = self.bump().kw;
        let kind = match (first, second) {
            (Kw::REPLICA | Kw::SLAVE, Kw::STATUS) => {
                self.skip_to_statement_end()?;
                ShowKind::ReplicaStatus
            }
            (Kw::SLAVE, Kw::HOSTS) => ShowKind::Replicas,
            (Kw::BINARY | Kw::MASTER, Kw::LOGS) => ShowKind::BinaryLogs,
            (Kw::MASTER, Kw::STATUS) => ShowKind::BinaryLogStatus,
            (Kw::BINARY, Kw::LOG) => {
                self.expect_kw(Kw::STATUS)?;
                ShowKind::BinaryLogStatus
            }
            (Kw::PROCEDURE, Kw::STATUS) => ShowKind::ProcedureStatus,
            (Kw::FUNCTION, Kw::STATUS) => ShowKind::FunctionStatus,
            (Kw::LIBRARY, Kw::STATUS) => ShowKind::LibraryStatus,
            (Kw::PROCEDURE | Kw::FUNCTION, Kw::CODE) => {
                self.object_name()?;
                ShowKind::RoutineCode
            }
            _ => return self.fail(),
        };
        Ok(kind)
    }
}
