//! Looking lines up at Rev.io, many at a time: the first half of find or create, and the read-back of unknown creates (B7.2, B7.3).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use lineshift_connectors::CallError;
use lineshift_connectors::billing::{MOST_NUMBERS, ServiceRecord};
use lineshift_domain::ids::{DeviceChangeId, RevServiceId};
use lineshift_domain::log_text::LogText;
use lineshift_domain::terms::StepState;
use lineshift_store::Result as StoreResult;
use lineshift_store::billing::StepBatch;

use super::{LineRun, RevServicePage, SERVICE};
use crate::outside::Goal;

/// What a look found, and when it was asked for: what showed up after that moment was not seen.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub(super) asked_at: DateTime<Utc>,
    pub(super) found: LookedUp,
}

/// What Rev.io has of a line.
#[derive(Debug, Clone)]
pub(super) enum LookedUp {
    /// No connected service of the customer with this number.
    Nothing,
    /// That service: the number and the ICCID are the line's.
    Same(ServiceRecord),
    /// A connected service has the number, but another ICCID.
    Differs(RevServiceId, String),
    /// It could not be read.
    Failed(CallError),
}

impl RevServicePage<'_> {
    /// Looks up the lines whose service is to be created or is unknown; with an obstacle, the unknown ones alone.
    pub(super) async fn look_up(&self, lines: &mut [LineRun], only_unknown: bool) -> StoreResult<HashMap<DeviceChangeId, Look>> {
        let mut wanted: Vec<&mut LineRun> = lines.iter_mut().filter(|line| is_wanted(line, only_unknown)).collect();
        let chunks: Vec<Vec<String>> = wanted
            .chunks(MOST_NUMBERS)
            .map(|chunk| chunk.iter().map(|line| line.number_to_find().to_owned()).collect())
            .collect();
        let asked_at = self.calling.now();
        let answers = join_all(chunks.iter().map(|numbers| self.billing.find_services(self.customer, numbers))).await;
        let mut looked_up = HashMap::new();
        let mut batch = StepBatch::default();
        for (chunk, called) in wanted.chunks_mut(MOST_NUMBERS).zip(answers) {
            for line in chunk {
                let found = match &called.result {
                    Ok(services) => compare(line, services),
                    Err(error) => LookedUp::Failed(error.clone()),
                };
                batch.logs.push(self.log_look_up(line, &found));
                looked_up.insert(line.row, Look { asked_at, found });
            }
        }
        self.calling.journal.write(batch).await?;
        Ok(looked_up)
    }

    /// Looks one line up again.
    pub(super) async fn look_up_one(&self, line: &mut LineRun) -> StoreResult<Look> {
        let asked_at = self.calling.now();
        let called = self.billing.find_services(self.customer, &[line.number_to_find().to_owned()]).await;
        let found = match called.result {
            Ok(services) => compare(line, &services),
            Err(error) => LookedUp::Failed(error),
        };
        let log = self.log_look_up(line, &found);
        self.calling.journal.write(StepBatch { logs: vec![log], ..StepBatch::default() }).await?;
        Ok(Look { asked_at, found })
    }

    fn log_look_up(&self, line: &mut LineRun, found: &LookedUp) -> lineshift_store::billing::OutsideLog {
        let text = LogText::FindRevServiceApi;
        let request = format!("{text}\ncustomer {}, number {}, ICCID {}", self.customer, line.number_to_find(), line.iccid);
        let (response, error) = match found {
            LookedUp::Nothing => ("no connected service".to_owned(), None),
            LookedUp::Same(service) => (format!("service {}", service.id), None),
            LookedUp::Differs(id, other) => (format!("service {id} has the number with ICCID {other}"), None),
            LookedUp::Failed(error) => (String::new(), Some(error.to_string())),
        };
        line.log(text, request, response, error)
    }
}

fn is_wanted(line: &LineRun, only_unknown: bool) -> bool {
    match line.state(SERVICE) {
        StepState::Ambiguous => true,
        StepState::Done | StepState::Stuck | StepState::Intended | StepState::Waiting => false,
        StepState::Pending | StepState::Failed | StepState::Reverted => {
            let ended = line.state(SERVICE) != StepState::Pending && line.is_of_this_attempt(SERVICE);
            matches!(line.goal, Goal::Do) && !only_unknown && !ended
        }
    }
}

/// The number is the line's; the ICCID is, too, or Rev.io knows none. Of several the oldest.
fn compare(line: &LineRun, services: &[ServiceRecord]) -> LookedUp {
    let mut with_number: Vec<&ServiceRecord> =
        services.iter().filter(|service| service.number.as_deref() == Some(line.number_to_find())).collect();
    with_number.sort_by_key(|service| service.id);
    let iccid = |service: &ServiceRecord| service.number2.clone().filter(|iccid| !iccid.trim().is_empty());
    let exact = with_number.iter().find(|service| iccid(service).as_deref() == Some(line.iccid.as_str()));
    let same = exact.or_else(|| with_number.iter().find(|service| iccid(service).is_none()));
    match (same, with_number.first()) {
        (Some(service), _) => LookedUp::Same((*service).clone()),
        (None, Some(other)) => LookedUp::Differs(other.id, iccid(other).unwrap_or_default()),
        (None, None) => LookedUp::Nothing,
    }
}
