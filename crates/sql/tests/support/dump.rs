//! A compact form of a syntax tree, made from its Debug output: names and literals by their text, defaults left out.

/// A value as `{:?}` writes it.
enum Value {
    Atom(String),
    List(Vec<Value>),
    Tuple(String, Vec<Value>),
    Struct(String, Vec<(String, Value)>),
}

/// The compact form of a value that was parsed from `text`.
pub(crate) fn dump(debug: &str, text: &[u8]) -> String {
    let mut reader = Reader { rest: debug };
    let value = reader.value();
    assert!(reader.rest.is_empty(), "unread: {}", reader.rest);
    let mut out = String::new();
    write(&value, text, &mut out);
    out
}

struct Reader<'d> {
    rest: &'d str,
}

impl Reader<'_> {
    fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn word(&mut self) -> String {
        let end = self
            .rest
            .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-')
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.to_owned()
    }

    fn values(&mut self, close: &str) -> Vec<Value> {
        let mut values = Vec::new();
        while !self.eat(close) {
            values.push(self.value());
            self.eat(", ");
        }
        values
    }

    fn value(&mut self) -> Value {
        if self.eat("[") {
            return Value::List(self.values("]"));
        }
        let name = self.word();
        if self.eat("(") {
            return Value::Tuple(name, self.values(")"));
        }
        if self.eat(" { ") {
            let mut fields = Vec::new();
            while !self.eat(" }") {
                let field = self.word();
                assert!(self.eat(": "), "at {}", self.rest);
                fields.push((field, self.value()));
                self.eat(", ");
            }
            return Value::Struct(name, fields);
        }
        Value::Atom(name)
    }
}

fn field<'v>(fields: &'v [(String, Value)], name: &str) -> &'v Value {
    &fields
        .iter()
        .find(|(field, _)| field == name)
        .expect("the field is there")
        .1
}

fn number(value: &Value) -> usize {
    match value {
        Value::Atom(digits) => digits.parse().expect("a number"),
        _ => panic!("no number"),
    }
}

/// The text of a Span.
fn span_text(value: &Value, text: &[u8]) -> String {
    match value {
        Value::Struct(name, fields) if name == "Span" => {
            let (start, end) = (number(field(fields, "start")), number(field(fields, "end")));
            String::from_utf8_lossy(&text[start..end]).into_owned()
        }
        _ => panic!("no span"),
    }
}

/// Whether a field says nothing.
fn is_default(name: &str, value: &Value, text: &[u8]) -> bool {
    match value {
        Value::Atom(atom) => atom == "None" || atom == "false",
        Value::List(values) => values.is_empty(),
        Value::Tuple(some, values) if some == "Some" && name.ends_with("span") => {
            is_default(name, &values[0], text)
        }
        Value::Struct(kind, _) if kind == "Span" => {
            (name.ends_with("span") && name != "type_span")
                || name == "keyword"
                || span_text(value, text).is_empty()
        }
        Value::Struct(kind, fields) if kind == "SelectOptions" => {
            fields.iter().all(|(name, value)| is_default(name, value, text))
        }
        _ => false,
    }
}

fn write_all<'v>(values: impl Iterator<Item = &'v Value>, text: &[u8], out: &mut String) {
    for (index, value) in values.enumerate() {
        if index > 0 {
            out.push(' ');
        }
        write(value, text, out);
    }
}

fn write(value: &Value, text: &[u8], out: &mut String) {
    match value {
        Value::Atom(atom) => out.push_str(atom),
        Value::List(values) => {
            out.push('[');
            write_all(values.iter(), text, out);
            out.push(']');
        }
        Value::Tuple(name, values) if name == "Some" => write_all(values.iter(), text, out),
        Value::Tuple(name, values) if ["Literal", "Column"].contains(&name.as_str()) => {
            write_all(values.iter(), text, out)
        }
        Value::Tuple(name, values) if matches!(values.as_slice(), [Value::Struct(inner, _)] if inner == name) =>
        {
            write_all(values.iter(), text, out);
        }
        Value::Tuple(name, values) => {
            out.push('(');
            out.push_str(name);
            if !name.is_empty() && !values.is_empty() {
                out.push(' ');
            }
            write_all(values.iter(), text, out);
            out.push(')');
        }
        Value::Struct(name, fields) => match name.as_str() {
            "Span" => out.push_str(&format!("{:?}", span_text(value, text))),
            "Ident" | "Literal" => out.push_str(&span_text(field(fields, "span"), text)),
            "Expr" if fields.len() == 2 => write(field(fields, "kind"), text, out),
            "ObjectName" | "ColumnRef" => {
                let parts: Vec<String> = fields
                    .iter()
                    .filter(|(name, value)| !is_default(name, value, text))
                    .map(|(_, value)| {
                        let mut part = String::new();
                        write(value, text, &mut part);
                        part
                    })
                    .collect();
                out.push_str(&parts.join("."));
            }
            _ => {
                out.push('(');
                out.push_str(name);
                for (name, value) in fields
                    .iter()
                    .filter(|(name, value)| !is_default(name, value, text))
                {
                    out.push_str(&format!(" {name}="));
                    write(value, text, out);
                }
                out.push(')');
            }
        },
    }
}
