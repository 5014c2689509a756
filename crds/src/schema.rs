//! Checks a value against the schema of a kind's definition, as the API server does it, but names every field
//! that is wrong.

use serde_json::{Map, Value};

use crate::problem::Problem;

/// Keywords that say nothing that has to be checked here: documentation, and patterns and rules, which
/// `Keyspace::resolve` checks with better messages.
#[cfg(test)]
const UNCHECKED: [&str; 5] = [
    "description",
    "title",
    "default",
    "pattern",
    "x-kubernetes-validations",
];

/// Keywords that [`check`] knows.
#[cfg(test)]
const CHECKED: [&str; 13] = [
    "type",
    "nullable",
    "format",
    "properties",
    "required",
    "items",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "x-kubernetes-preserve-unknown-fields",
];

/// Appends what is wrong with `value`, which lies at `path`.
pub(crate) fn check(schema: &Value, value: &Value, path: &str, problems: &mut Vec<Problem>) {
    let flag = |name| schema.get(name).and_then(Value::as_bool).unwrap_or(false);
    if value.is_null() && flag("nullable") {
        return;
    }
    let expected = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    match (expected, value) {
        ("object", Value::Object(fields)) => {
            check_fields(
                schema,
                fields,
                path,
                flag("x-kubernetes-preserve-unknown-fields"),
                problems,
            );
        }
        ("array", Value::Array(items)) => {
            check_size(
                schema,
                ["minItems", "maxItems"],
                items.len(),
                "entries",
                path,
                problems,
            );
            let schema = schema.get("items").unwrap_or(&Value::Null);
            for (index, item) in items.iter().enumerate() {
                check(schema, item, &format!("{path}[{index}]"), problems);
            }
        }
        ("string", Value::String(text)) => {
            check_size(
                schema,
                ["minLength", "maxLength"],
                text.chars().count(),
                "characters",
                path,
                problems,
            );
        }
        ("integer", Value::Number(number)) if !number.is_f64() => {
            // Numbers beyond i64 are beyond every maximum.
            check_number(schema, number.as_i64().unwrap_or(i64::MAX), path, problems);
        }
        ("boolean", Value::Bool(_)) => {}
        // A field without a type takes anything.
        ("", _) => {}
        ("string", Value::Number(_) | Value::Bool(_)) => {
            let message = format!("must be a string, not {}: put it in quotes", kind_of(value));
            problems.push(Problem::new(path, message));
        }
        _ => {
            let message = format!("must be {}, not {}", with_article(expected), kind_of(value));
            problems.push(Problem::new(path, message));
        }
    }
}

fn check_fields(
    schema: &Value,
    fields: &Map<String, Value>,
    path: &str,
    open: bool,
    problems: &mut Vec<Problem>,
) {
    let known = schema.get("properties").and_then(Value::as_object);
    for (name, value) in fields {
        match known.and_then(|known| known.get(name)) {
            Some(schema) => check(schema, value, &format!("{path}.{name}"), problems),
            None if open => {}
            None => {
                let names: Vec<&str> = known
                    .into_iter()
                    .flat_map(Map::keys)
                    .map(String::as_str)
                    .collect();
                let message = format!("unknown field; known are {}", names.join(", "));
                problems.push(Problem::new(format!("{path}.{name}"), message));
            }
        }
    }
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            problems.push(Problem::new(format!("{path}.{name}"), "is required"));
        }
    }
}

fn check_size(
    schema: &Value,
    [min, max]: [&str; 2],
    size: usize,
    unit: &str,
    path: &str,
    problems: &mut Vec<Problem>,
) {
    let limit = |name| {
        schema
            .get(name)
            .and_then(Value::as_u64)
            .and_then(|limit| usize::try_from(limit).ok())
    };
    if let Some(min) = limit(min).filter(|min| size < *min) {
        problems.push(Problem::new(path, format!("must have at least {min} {unit}")));
    }
    if let Some(max) = limit(max).filter(|max| size > *max) {
        problems.push(Problem::new(path, format!("must have at most {max} {unit}")));
    }
}

fn check_number(schema: &Value, number: i64, path: &str, problems: &mut Vec<Problem>) {
    // The generator writes limits as floats.
    let limit = |name| schema.get(name).and_then(Value::as_f64).map(|limit| limit as i64);
    let (min, max) = (limit("minimum"), limit("maximum"));
    if min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max) {
        return;
    }
    let message = match (min, max) {
        (Some(min), Some(max)) => format!("must be between {min} and {max}"),
        (Some(min), None) => format!("must be at least {min}"),
        (None, Some(max)) => format!("must be at most {max}"),
        (None, None) => return,
    };
    problems.push(Problem::new(path, message));
}

fn with_article(kind: &str) -> &'static str {
    match kind {
        "object" => "a mapping",
        "array" => "a list",
        "string" => "a string",
        "integer" => "a whole number",
        _ => "true or false",
    }
}

pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

#[cfg(test)]
mod tests {
    use kube::CustomResourceExt;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn messages(schema: &Value, value: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        check(schema, value, "spec", &mut problems);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_kind_of_mistake_is_named() {
        let schema = json!({
            "type": "object",
            "required": ["need"],
            "properties": {
                "need": {"type": "integer", "minimum": 1.0, "maximum": 9.0},
                "list": {"type": "array", "minItems": 1, "items": {"type": "string", "maxLength": 2}},
                "flag": {"type": "boolean", "nullable": true},
                "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            },
        });
        let good = json!({"need": 1, "list": ["ab"], "flag": null, "open": {"any": [1]}});
        assert_eq!(messages(&schema, &good), [""; 0]);
        let bad = json!({"list": ["abc", -40, true], "flag": "yes", "open": [], "more": 1});
        assert_eq!(
            messages(&schema, &bad),
            [
                "spec.flag: must be true or false, not a string",
                "spec.list[0]: must have at most 2 characters",
                "spec.list[1]: must be a string, not a number: put it in quotes",
                "spec.list[2]: must be a string, not true or false: put it in quotes",
                "spec.more: unknown field; known are flag, list, need, open",
                "spec.open: must be a mapping, not a list",
                "spec.need: is required",
            ]
        );
        for (need, message) in [
            (json!(0), "must be between 1 and 9"),
            (json!(u64::MAX), "must be between 1 and 9"),
            (json!(1.5), "must be a whole number, not a number"),
            (json!(null), "must be a whole number, not empty"),
        ] {
            assert_eq!(
                messages(&schema, &json!({"need": need, "list": ["a"]})),
                [format!("spec.need: {message}")]
            );
        }
        assert_eq!(
            messages(&schema, &json!({"need": 1, "list": []})),
            ["spec.list: must have at least 1 entries"]
        );
    }

    /// A keyword that nobody checks would let a manifest pass here that the API server refuses.
    #[test]
    fn the_definitions_use_known_keywords_only() {
        fn walk(schema: &Value, path: &str) {
            for (keyword, value) in schema.as_object().unwrap() {
                let known = CHECKED.contains(&keyword.as_str()) || UNCHECKED.contains(&keyword.as_str());
                assert!(known, "{path}: {keyword}");
                match keyword.as_str() {
                    "properties" => value
                        .as_object()
                        .unwrap()
                        .iter()
                        .for_each(|(name, value)| walk(value, name)),
                    "items" => walk(value, path),
                    _ => {}
                }
            }
        }
        let definition = serde_json::to_value(crate::Keyspace::crd()).unwrap();
        walk(
            &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"],
            "",
        );
    }

    proptest! {
        #[test]
        fn any_value_is_checked_without_a_panic(text in ".{0,60}") {
            let definition = serde_json::to_value(crate::Keyspace::crd()).unwrap();
            let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
            if let Ok(value) = serde_saphyr::from_str::<Value>(&text) {
                check(schema, &value, "", &mut Vec::new());
            }
        }
    }
}
