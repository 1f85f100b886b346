//! What peers write: the values that the scripts of `bench-sql/postgres/` name, as literals of SQL.

use anyhow::{Context as _, Result};
use chrono::{DateTime, Datelike as _, Utc};
use lineshift_engine::{Clock as _, SystemClock};
use tokio_postgres::Client;

use crate::bench::fleet::{Kind, NEW_ALLOCATION, NEW_PLAN, NEW_SITE};

/// Literals by name, `$` included.
#[derive(Debug, Clone, Default)]
pub(super) struct Literals(Vec<(&'static str, String)>);

impl Literals {
    /// Sets a number, anew or again.
    pub(super) fn number(&mut self, name: &'static str, value: i64) -> &mut Self {
        self.set(name, value.to_string())
    }

    /// Sets a text, anew or again.
    pub(super) fn text(&mut self, name: &'static str, value: &str) -> &mut Self {
        let escaped = value.replace('\\', "\\\\").replace('\'', "''").replace('\n', "\\n");
        self.set(name, format!("E'{escaped}'"))
    }

    /// The present moment and its month.
    pub(super) fn now(&mut self) -> &mut Self {
        let now = SystemClock.now();
        self.number("$now", now.timestamp_micros()).number("$month", month(now))
    }

    fn set(&mut self, name: &'static str, literal: String) -> &mut Self {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, present)) => *present = literal,
            None => self.0.push((name, literal)),
        }
        self
    }

    /// A script with its names replaced.
    pub(super) fn fill(&self, script: &str) -> Result<String> {
        let mut filled = String::with_capacity(script.len() + 1_000);
        let mut rest = script;
        while let Some(at) = rest.find('$') {
            filled.push_str(&rest[..at]);
            let end =
                rest[at + 1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(rest.len(), |end| at + 1 + end);
            let name = &rest[at..end];
            let literal = self.0.iter().find(|(known, _)| *known == name).map(|(_, literal)| literal);
            filled.push_str(literal.with_context(|| format!("{name} was not set"))?);
            rest = &rest[end..];
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

/// The month of a log entry: 202612 for December 2026.
pub(super) fn month(now: DateTime<Utc>) -> i64 {
    i64::from(now.year()) * 100 + i64::from(now.month())
}

/// The texts of one kind of change, as the engine writes them.
#[derive(Debug, Clone, serde::Serialize)]
pub(super) struct Texts {
    /// The place of the step in the log.
    pub(super) entry: i64,
    /// What the history calls it.
    pub(super) action: &'static str,
    /// What the log calls it.
    pub(super) text: &'static str,
    /// What was asked; the line's ICCID is put behind.
    pub(super) request: String,
    /// What was concluded.
    pub(super) response: String,
    /// What was asked where a line was refused, by what it was refused.
    pub(super) refused_request: String,
    /// Why an archived line is refused.
    pub(super) archived: String,
    /// Why a line that is not active is refused: before and after its status.
    pub(super) not_active: (String, String),
    /// Why a line that was changed meanwhile is refused.
    pub(super) modified: String,
}

impl Texts {
    /// Those of a kind, `refused_by` being the word before a refused line.
    pub(super) async fn read(client: &Client, kind: Kind, refused_by: &str) -> Result<Self> {
        let active: String = client
            .query_one(
                "SELECT string_agg(status, ', ' ORDER BY status) FROM device_status
                 WHERE integration_kind = 'Jasper' AND is_active_status = 1",
                &[],
            )
            .await?
            .get(0);
        let (entry, action, text, request, response) = match kind {
            Kind::PlanChange => (
                40,
                "customer_rate_plan",
                "Change Customer Rate Plan: Update AMOP",
                format!(
                    "usp_DeviceBulkChange_CustomerRatePlanChange_UpdateDevices\n\
                     plan {NEW_PLAN}, pool kept, allocation {NEW_ALLOCATION} MB, line "
                ),
                format!("now plan {NEW_PLAN}, pool kept, allocation {NEW_ALLOCATION} MB"),
            ),
            Kind::AmopAssignment => (
                30,
                "assignment",
                "AssignNonRevCustomer: Update AMOP",
                format!("usp_DeviceBulkChange_Assign_Non_Rev_Customer\nsite {NEW_SITE}, line "),
                format!("assigned to site {NEW_SITE}"),
            ),
        };
        Ok(Self {
            entry,
            action,
            text,
            request,
            response,
            refused_request: format!("{refused_by}\n"),
            archived: "the line is archived or deleted in the inventory".to_owned(),
            not_active: ("the line's status is \"".to_owned(), format!("\"; active for Jasper are {active}")),
            modified:
                "customer, site or plan of this line were changed after this order was judged; look at the line and order again"
                    .to_owned(),
        })
    }

    /// As literals, with what scripts name beside them.
    pub(super) fn literals(&self) -> Literals {
        let mut literals = Literals::default();
        literals.number("$tenant", 1).number("$change", 1).number("$plan", NEW_PLAN).number("$site", NEW_SITE);
        literals.text("$allocation", NEW_ALLOCATION).text("$by", "bench").text("$zone", "America/Chicago");
        literals.number("$entry", self.entry).text("$action", self.action).text("$text", self.text);
        literals.text("$request", &self.request).text("$response", &self.response);
        literals.text("$refused_request", &self.refused_request).text("$archived", &self.archived);
        literals.text("$not_active_1", &self.not_active.0).text("$not_active_2", &self.not_active.1);
        literals.text("$modified", &self.modified);
        literals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_whole_and_texts_are_quoted() {
        let mut literals = Literals::default();
        literals.number("$a", 1).number("$a_b", 2).text("$t", "it's\na \\");
        assert_eq!(literals.fill("$a $a_b, $t;").expect("filled"), "1 2, E'it''s\\na \\\\';");
        assert!(literals.fill("$unknown").is_err());
    }
}
