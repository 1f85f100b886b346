//! Reading the description.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::{Body, DescribedAnswer, Description, Kind, Operation, Parameter, Part, TextRule};

/// Reads a description; the error says what of it is not as this module expects.
pub(super) fn load(text: &str, base_path: &'static str, text_rule: TextRule) -> Result<Description, String> {
    let document: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let source = Source { document: &document };
    let mut operations = Vec::new();
    for (path, methods) in object(&document["paths"], "paths")? {
        for (method, operation) in object(methods, path)? {
            let method = method.to_uppercase();
            operations.push(source.operation(&method, path, operation).map_err(|error| format!("{method} {path}: {error}"))?);
        }
    }
    let error = source.schema(&json!({ "$ref": "#/components/schemas/Error" }))?;
    let errors_inside = document["info"]["x-errors-inside-successes"] == true;
    Ok(Description { base_path, operations, error, errors_inside, text_rule })
}

struct Source<'d> {
    document: &'d Value,
}

impl Source<'_> {
    fn operation(&self, method: &str, path: &str, operation: &Value) -> Result<Operation, String> {
        let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut answers = BTreeMap::new();
        for (status, answer) in object(&operation["responses"], "responses")? {
            // `default` stands for all errors, which have one form.
            if let Ok(status) = status.parse() {
                let content = answer.get("content").map(|content| self.schema(&content["application/json"]["schema"]));
                let has_location = answer["headers"]["Location"]["required"] == true;
                answers.insert(status, DescribedAnswer { body: content.transpose()?, has_location });
            }
        }
        Ok(Operation {
            name: format!("{method} {path}"),
            method: method.to_owned(),
            parts: path.trim_start_matches('/').split('/').map(part).collect(),
            parameters: parameters.iter().map(|parameter| self.parameter(parameter)).collect::<Result<_, _>>()?,
            body: self.body(&operation["requestBody"])?,
            answers,
        })
    }

    fn parameter(&self, parameter: &Value) -> Result<Parameter, String> {
        let parameter = match parameter["$ref"].as_str() {
            Some(place) => self.document.pointer(place.trim_start_matches('#')).ok_or_else(|| format!("{place} is not there"))?,
            None => parameter,
        };
        let name = parameter["name"].as_str().ok_or("a parameter has no name")?;
        let schema = &parameter["schema"];
        let repeats = schema["type"] == "array";
        let one = if repeats { &schema["items"] } else { schema };
        let kind = match one["type"].as_str() {
            Some("integer") => Kind::Integer,
            Some("boolean") => Kind::Boolean,
            Some("string") => Kind::Text,
            other => return Err(format!("the parameter {name} has the type {other:?}")),
        };
        let in_path = parameter["in"] == "path";
        let required = parameter["required"] == true;
        let search = parameter["x-search"] == true;
        Ok(Parameter { name: name.to_owned(), in_path, required, repeats, search, kind, schema: self.schema(one)? })
    }

    fn body(&self, body: &Value) -> Result<Option<Body>, String> {
        let Some(content) = body["content"].as_object() else { return Ok(None) };
        let (content_type, content) = content.iter().next().ok_or("a body has no content")?;
        Ok(Some(Body { content_type: content_type.clone(), schema: self.schema(&content["schema"])? }))
    }

    /// A schema that finds the description's components, which it names from the root.
    fn schema(&self, schema: &Value) -> Result<Validator, String> {
        let mut rooted = schema.as_object().cloned().ok_or("a schema is missing")?;
        rooted.insert("components".to_owned(), json!({ "schemas": self.document["components"]["schemas"] }));
        jsonschema::draft202012::new(&Value::Object(rooted)).map_err(|error| error.to_string())
    }
}

fn part(text: &str) -> Part {
    match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => Part::Parameter(name.to_owned()),
        None => Part::Fixed(text.to_owned()),
    }
}

fn object<'v>(value: &'v Value, name: &str) -> Result<&'v Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("{name} is no object"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [(&str, &str); 3] =
        [("revio", crate::revio::OPENAPI), ("jasper", crate::jasper::OPENAPI), ("pond", crate::pond::OPENAPI)];

    fn documents() -> impl Iterator<Item = (&'static str, Value)> {
        TEXTS.into_iter().map(|(name, text)| (name, serde_json::from_str(text).expect("the description is JSON")))
    }

    #[test]
    fn every_description_can_be_read() {
        for (name, text) in TEXTS {
            let description = load(text, "/v1", |_, _| None).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(description.operations.len() > 5, "{name}: {}", description.operations.len());
        }
    }

    #[test]
    fn every_field_parameter_and_call_has_a_mark() {
        let marked = |value: &Value| matches!(value["x-mark"].as_str(), Some("D" | "S" | "I" | "?"));
        for (document_name, document) in documents() {
            let mut unmarked = Vec::new();
            for (path, methods) in document["paths"].as_object().expect("paths") {
                for (method, operation) in methods.as_object().expect("methods") {
                    let parameters = operation["parameters"].as_array().into_iter().flatten();
                    let inline = parameters.filter(|parameter| parameter.get("$ref").is_none());
                    unmarked.extend(inline.filter(|one| !marked(one)).map(|one| format!("{method} {path}: {one}")));
                    unmarked.extend((!marked(operation)).then(|| format!("{method} {path}")));
                }
            }
            for (name, parameter) in document["components"]["parameters"].as_object().expect("parameters") {
                unmarked.extend((!marked(parameter)).then(|| name.clone()));
            }
            each_schema(&document["components"]["schemas"], &mut |schema| {
                for (name, field) in schema["properties"].as_object().into_iter().flatten() {
                    unmarked.extend((!marked(field)).then(|| format!("{name}: {field}")));
                }
            });
            assert!(unmarked.is_empty(), "{document_name}: {unmarked:#?}");
        }
    }

    #[test]
    fn no_object_takes_fields_that_are_not_described() {
        for (name, document) in documents() {
            let schemas = &document["components"]["schemas"];
            let mut open = Vec::new();
            each_schema(schemas, &mut |schema| {
                let closed = schema["additionalProperties"] == false || schema["unevaluatedProperties"] == false;
                if schema.get("properties").is_some() && !closed {
                    open.push(schema.clone());
                }
            });
            // The fields of a resource stand once, and are closed by each schema that takes them up.
            let fields = schemas.as_object().expect("schemas").iter().filter(|(name, _)| name.ends_with("Fields"));
            let fields: Vec<Value> = fields.map(|(_, schema)| schema.clone()).collect();
            open.retain(|schema| !fields.contains(schema));
            assert!(open.is_empty(), "{name}: {open:#?}");
        }
    }

    fn each_schema(value: &Value, seen: &mut impl FnMut(&Value)) {
        match value {
            Value::Object(members) => {
                seen(value);
                for member in members.values() {
                    each_schema(member, seen);
                }
            }
            Value::Array(items) => {
                for item in items {
                    each_schema(item, seen);
                }
            }
            _ => {}
        }
    }
}
