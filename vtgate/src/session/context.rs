//! What a session's plans depend on, interned so that the plan cache's key holds one number for it.

use std::collections::HashMap;
use std::rc::Rc;

use planner::value::Charset;
use sql::charset::ClientCharset;
use sql::mode::LexMode;

use super::target::Target;
use crate::plan_cache::ContextId;

/// Everything beside the text that a plan depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Context {
    /// Bits of `sql_mode` that change how a text is read.
    pub lex: LexMode,
    /// How the text's bytes group into characters.
    pub charset: ClientCharset,
    /// `sql_mode` as MySQL spells it: conversions of written values depend on it.
    pub sql_mode: Box<str>,
    /// `character_set_client`.
    pub character_set: Box<str>,
    /// What the planner makes of it.
    pub values: Charset,
    /// `collation_connection`.
    pub collation: Box<str>,
    /// What is selected.
    pub target: Target,
}

/// Interned contexts of one worker.
#[derive(Debug, Default)]
pub struct Contexts {
    by_value: HashMap<Rc<Context>, ContextId>,
}

impl Contexts {
    /// The number of a context. Numbers are never reused.
    pub fn intern(&mut self, context: Context) -> (Rc<Context>, ContextId) {
        if let Some((known, id)) = self.by_value.get_key_value(&context) {
            return (known.clone(), *id);
        }
        let id = ContextId::try_from(self.by_value.len()).unwrap_or(ContextId::MAX);
        let context = Rc::new(context);
        self.by_value.insert(context.clone(), id);
        (context, id)
    }
}
