//! Two people at one form: each form that changes something carries a digest of what it was filled from. Where that is something else by the
//! time it is saved, nothing is saved, and what is stored now is shown beside what was typed.

use sha2::{Digest as _, Sha256};

use super::fields::{Choice, Field, FormShown, Kind, Source};
use super::form::Form;
use crate::problem::ApiProblem;
use serde_json::Value;

/// The field that says what a form was filled from.
const SEEN: &str = "seen";

/// What such a problem is called.
const CHANGED: &str = "changed_meanwhile";

/// What a field holds, in an order of its own: of what may be ticked no order is kept.
fn texts(field: &Field, source: Source<'_>) -> Vec<String> {
    let mut texts: Vec<String> = source.texts(field);
    if let Kind::Reach(_) = field.kind {
        texts = texts
            .iter()
            .flat_map(|text| text.split([' ', ',', '\r', '\n', '\t']))
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
    }
    texts.sort_unstable();
    texts
}

/// What a form is known by that was filled from that.
fn digest(fields: &[Field], stored: &Value) -> String {
    let mut hash = Sha256::new();
    for field in fields {
        for text in std::iter::once(field.name.clone()).chain(texts(field, Source::Stored(stored))) {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
        hash.update(u64::MAX.to_be_bytes());
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Refuses a form that was filled from something else than is stored now. One that does not say from what, as no page sends it, is taken.
/// Errors: 409.
pub(super) fn require_unchanged(fields: &[Field], stored: &Value, form: &Form) -> Result<(), ApiProblem> {
    if form.text(SEEN).is_none_or(|seen| seen == digest(fields, stored)) {
        return Ok(());
    }
    let message = "Somebody else has changed this since you opened it. Nothing was saved. What is stored now stands beside what you typed: \
        put it right, then save it all the same.";
    Err(ApiProblem::conflict(CHANGED, message))
}

impl FormShown {
    /// The same form for what is stored now, where it is filled in with that or with what was typed.
    pub(super) fn of_stored(
        mut self,
        fields: &[Field],
        stored: &Value,
        source: Source<'_>,
        refused: Option<&ApiProblem>,
    ) -> Self {
        let Source::Typed(form) = source else {
            self.seen = digest(fields, stored);
            return self;
        };
        let is_changed = refused.is_some_and(|problem| problem.has_code(CHANGED));
        // Whoever is refused for another reason has seen no more than before.
        self.seen = if is_changed { digest(fields, stored) } else { form.text(SEEN).unwrap_or_default().to_owned() };
        if is_changed {
            self.submit = "Save all the same".to_owned();
        }
        for (shown, field) in self.fields.iter_mut().zip(fields) {
            if let Kind::Secret { .. } = field.kind {
                shown.problems.extend(form.text(&field.name).map(|_| "give it again: it is not shown".to_owned()));
                continue;
            }
            let now = texts(field, Source::Stored(stored));
            if is_changed && now != texts(field, source) {
                shown.problems.push(format!("stored now: {}", in_words(field, &now)));
            }
        }
        self
    }
}

/// What a field holds, for people.
fn in_words(field: &Field, texts: &[String]) -> String {
    let named = |choices: &[Choice]| {
        let name =
            |text: &String| choices.iter().find(|choice| choice.value == *text).map_or(text, |choice| &choice.label).clone();
        texts.iter().map(name).collect::<Vec<_>>()
    };
    let words = match &field.kind {
        Kind::Flag(_) => vec![if texts.is_empty() { "no" } else { "yes" }.to_owned()],
        Kind::Term(choices) | Kind::Terms(choices) | Kind::Ids(choices) | Kind::Id { options: choices, .. } => named(choices),
        _ => texts.to_vec(),
    };
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields() -> Vec<Field> {
        let roles = vec![Choice::new("1", "one"), Choice::new("2", "two")];
        vec![
            Field::new("name", "Name", Kind::Text),
            Field::new("roles", "Roles", Kind::Ids(roles)),
            Field::new("reach", "Reach", Kind::Reach("*")),
            Field::new("is_active", "Active", Kind::Flag(true)),
            Field::new("word", "Word", Kind::Secret { is_required: false, autocomplete: "off" }),
        ]
    }

    fn form(pairs: &[(&str, &str)]) -> Form {
        Form::of_pairs(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn what_was_changed_meanwhile_is_shown_beside_what_was_typed() {
        let fields = fields();
        let seen = json!({"name": "Yard", "roles": [2, 1], "reach": ["site:7", "customer:5"], "is_active": true, "other": 1});
        let opened = FormShown::new("/x", "Save", &fields, Source::Stored(&seen), None);
        let opened = opened.of_stored(&fields, &seen, Source::Stored(&seen), None);
        let typed = form(&[
            ("seen", &opened.seen),
            ("name", "Yard A"),
            ("roles", "1"),
            ("reach", "customer:5\r\nsite:7"),
            ("is_active", "true"),
            ("word", "x"),
        ]);
        let same = json!({"name": "Yard", "roles": [1, 2], "reach": ["customer:5", "site:7"], "is_active": true, "other": 2});
        assert!(require_unchanged(&fields, &same, &typed).is_ok(), "what no field holds does not count, nor does an order");
        let now = json!({"name": "Yard", "roles": [2], "reach": ["site:7", "customer:5"], "is_active": false});
        let problem = require_unchanged(&fields, &now, &typed).expect_err("it was changed");
        assert_eq!(problem.status().as_u16(), 409);
        let shown = FormShown::new("/x", "Save", &fields, Source::Typed(&typed), Some(&problem));
        let shown = shown.of_stored(&fields, &now, Source::Typed(&typed), Some(&problem));
        let said: Vec<&str> = shown.fields.iter().map(|field| field.problems.first().map_or("", String::as_str)).collect();
        assert_eq!(said, ["stored now: Yard", "stored now: two", "", "stored now: no", "give it again: it is not shown"]);
        assert_eq!(shown.submit, "Save all the same");
        let knowingly = form(&[("seen", &shown.seen), ("name", "Yard A")]);
        assert!(require_unchanged(&fields, &now, &knowingly).is_ok());
        // Who is refused for another reason is asked again all the same.
        let wrong = ApiProblem::missing("name", "give one");
        let again = FormShown::new("/x", "Save", &fields, Source::Typed(&typed), Some(&wrong));
        assert_eq!(again.of_stored(&fields, &now, Source::Typed(&typed), Some(&wrong)).seen, opened.seen);
    }
}
