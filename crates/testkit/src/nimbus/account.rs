//! One account of Nimbus: what is sent, and what is read.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_connectors::carrier::{
    Carrier, IccId, LineAct, LineRef, LineUsage, ListedLine, ListedPlan, Sent, SentAll, refused_here,
};
use lineshift_connectors::http::{Account, Effect, Endpoint, Masker, Permit};
use lineshift_connectors::{Batch, CallError, Called, Exchange};
use lineshift_domain::carrier::{CarrierChange, CarrierLine};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::answers::{Accepted, read_accepted, read_error, read_line, read_lines, read_plans};

/// The token in the credentials' JSON, `{"token":"..."}`.
pub(super) fn read_credentials(credentials: &SecretString) -> Result<SecretString, String> {
    let wrong = || "these are no credentials for Nimbus: expected token alone".to_owned();
    let json: BTreeMap<String, String> = serde_json::from_str(credentials.expose_secret()).map_err(|_| wrong())?;
    match json.get("token") {
        Some(token) if !token.is_empty() && json.len() == 1 => Ok(SecretString::from(token.as_str())),
        _ => Err(wrong()),
    }
}

pub(super) struct NimbusAccount(Endpoint);

impl NimbusAccount {
    pub(super) fn new(account: Account, base_address: &str, token: &SecretString) -> Self {
        let masker = Masker::new([token]);
        let bearer = SecretString::from(format!("Bearer {}", token.expose_secret()));
        let endpoint = Endpoint::new(account, base_address, vec![("authorization", bearer)], masker);
        Self(endpoint.with_error_reader(read_error))
    }
}

#[async_trait]
impl Carrier for NimbusAccount {
    fn account(&self) -> &Account {
        self.0.account()
    }

    async fn test_connection(&self) -> Called<()> {
        self.0.read("/plans", |answer| read_plans(answer).map(drop)).await
    }

    async fn read_line(&self, line: &LineRef) -> Called<Option<CarrierLine>> {
        let Ok(iccid) = line.iccid.parse::<IccId>() else {
            return Called { result: Ok(None), exchange: Exchange::default() };
        };
        let called = self.0.read(&format!("/lines/{iccid}"), |answer| read_line(answer, &iccid)).await;
        let result = match called.result {
            Ok(listed) => Ok(Some(listed.line)),
            Err(CallError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        };
        Called { result, exchange: called.exchange }
    }

    async fn send(&self, permit: Permit, asked: &CarrierChange, acts: &[LineAct<'_>]) -> SentAll {
        let Some(mut body) = body_of(asked) else { return refused_here("Nimbus sets a plan or a status, at once", acts.len()) };
        let iccids: Vec<&str> = acts.iter().map(|act| act.line.iccid.as_str()).collect();
        body["iccids"] = json!(iccids);
        let effect = Effect { method: "POST", path: "/changes".to_owned(), body: body.to_string() };
        let Called { result, exchange } = self.0.send(permit, effect, read_accepted).await;
        let results = match result {
            Ok(accepted) => iccids.iter().map(|iccid| of_line(&accepted, iccid)).collect(),
            Err(error) => vec![Err(error); acts.len()],
        };
        SentAll { results, exchange }
    }

    async fn list_lines(&self, _changed_since: Option<DateTime<Utc>>, page: u32) -> Called<Batch<ListedLine>> {
        self.0.read(&format!("/lines?page={page}"), read_lines).await
    }

    fn lists_changes_only(&self) -> bool {
        false
    }

    async fn list_rate_plans(&self) -> Called<Option<Vec<ListedPlan>>> {
        self.0.read("/plans", |answer| read_plans(answer).map(Some)).await
    }

    async fn read_usage(&self, _line: &LineRef) -> Called<Option<LineUsage>> {
        Called { result: Ok(None), exchange: Exchange::default() }
    }

    fn tells_usage(&self) -> bool {
        false
    }
}

/// What is to be set; none: Nimbus has no words for it.
fn body_of(asked: &CarrierChange) -> Option<Value> {
    match asked {
        CarrierChange::RatePlan { rate_plan: Some(plan), comm_plan: None, effective_at: None } => Some(json!({ "plan": plan })),
        CarrierChange::Status { status, .. } => Some(json!({ "status": status })),
        CarrierChange::RatePlan { .. } => None,
    }
}

/// What of an accepted request became of one of its lines.
fn of_line(accepted: &Accepted, iccid: &str) -> Result<Sent, CallError> {
    match accepted.refused.get(iccid) {
        Some(reason) => Err(CallError::Rejected { status: 202, text: reason.clone() }),
        None => Ok(Sent::Accepted { request_id: Some(accepted.request_id.clone()) }),
    }
}
