//! Rows that are looked up by what they name, as at submission: lines beyond reach are not there.

use std::collections::HashMap;

use lineshift_domain::facts::LineFacts;
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::judge::Reason;
use lineshift_domain::lines::{Digits, read_line};
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::LineIdentifier;
use lineshift_store::Result as StoreResult;
use lineshift_store::devices::FactsQuery;
use lineshift_store::work::{OrderFacts, PageLine, PageWork};

use super::Judged;
use super::rights::reaches_line;
use crate::submit::{ambiguous, not_found};

/// What rows were found to name, within reach.
#[derive(Default)]
pub(super) struct Named {
    /// The line of each row that names one.
    pub(super) lines: HashMap<DeviceChangeId, LineFacts>,
    /// Those that name none, or several (B10.2).
    pub(super) refused: Vec<(DeviceChangeId, Judged)>,
    /// How many lines have the number of a row that was judged by its line before; none: as many as the store counts.
    with_number: HashMap<DeviceChangeId, u64>,
}

impl Named {
    /// How many lines within reach have the number that the row names.
    pub(super) fn lines_with_number(&self, line: &PageLine) -> u64 {
        self.with_number.get(&line.id).copied().unwrap_or(line.lines_with_number.unsigned_abs())
    }
}

/// Whether a row is to be looked up by what it names: it was refused at submission, and found no line then, or found one by
/// a number, which may belong to another line by now (B10.2).
pub(super) fn is_named_anew(line: &PageLine, identifier: LineIdentifier) -> bool {
    line.judged_version.is_none() && (line.facts.is_none() || identifier == LineIdentifier::Number)
}

/// Looks up rows that are named anew (B10.2), and, for somebody who is limited, those whose number several lines have: which of these
/// there are is theirs to know only within reach.
pub(super) async fn look_up_named(
    page: &mut dyn PageWork,
    order: &OrderFacts,
    reach: &Reach,
    lines: &[PageLine],
    query: FactsQuery,
) -> StoreResult<Named> {
    let identifier = order.change.identifier;
    let mut named = Named::default();
    let mut wanted: Vec<(DeviceChangeId, Digits)> = Vec::new();
    for line in lines {
        let is_anew = is_named_anew(line, identifier);
        if !is_anew && (reach.is_everything() || line.lines_with_number <= 1) {
            continue;
        }
        match read_line(identifier, line.named.as_deref().unwrap_or_default()) {
            Ok(digits) => wanted.push((line.id, digits)),
            Err(code) if is_anew => {
                named.refused.push((line.id, Judged::Refused(Reason::new(code, "what was named is still no line"))));
            }
            Err(_) => {}
        }
        if !is_anew {
            named.with_number.insert(line.id, 0);
        }
    }
    if wanted.is_empty() {
        return Ok(named);
    }
    let mut found: HashMap<DeviceChangeId, Vec<LineFacts>> = HashMap::new();
    for (id, facts) in page.look_up_named(&wanted, query).await? {
        if reaches_line(reach, &facts) {
            found.entry(id).or_default().push(facts);
        }
    }
    for (id, _) in wanted {
        let mut lines = found.remove(&id).unwrap_or_default();
        let count = lines.len() as u64;
        if let Some(with_number) = named.with_number.get_mut(&id) {
            *with_number = count;
            continue;
        }
        match (lines.pop(), count) {
            (None, _) => named.refused.push((id, Judged::Refused(not_found(identifier)))),
            (Some(line), 1) => drop(named.lines.insert(id, line)),
            (Some(_), _) => named.refused.push((id, Judged::Refused(ambiguous(count, identifier)))),
        }
    }
    Ok(named)
}
