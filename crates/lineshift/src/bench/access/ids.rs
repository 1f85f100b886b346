//! Ids that are another tenant's, or beyond the caller's reach, beside ids that nobody has: the same request for one of each, in pairs whose
//! order changes, so that whatever drifts is the same for both.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use reqwest::StatusCode;

use super::figures::Pairs;
use super::prepare::{Ids, Prepared};
use super::server::{Caller, Server};
use crate::bench::fleet::mixed;

/// So much higher than any id there is: nobody has it.
const MISSING: i64 = 400_000;

/// Pairs before the first that counts.
const FIRST: usize = 50;

/// Measures so many pairs of each kind.
pub(super) async fn measure(prepared: &Prepared, server: &Server, pairs: usize) -> Result<BTreeMap<String, Pairs>> {
    let mut found = BTreeMap::new();
    let (unlimited, limited) = (server.client(&prepared.key)?, server.client(&prepared.limited_key)?);
    let kinds = prepared.foreign.iter().map(|ids| ("foreign", &unlimited, ids));
    for (whose, caller, ids) in kinds.chain(prepared.beyond.iter().map(|ids| ("beyond reach:", &limited, ids))) {
        let name = format!("{whose} {}", ids.kind);
        found.insert(name, of_kind(caller, ids, pairs).await.with_context(|| format!("asking for {whose} {}", ids.kind))?);
    }
    Ok(found)
}

async fn of_kind(caller: &Caller, ids: &Ids, pairs: usize) -> Result<Pairs> {
    let (mut there, mut missing) = (Vec::new(), Vec::new());
    for nth in 0..FIRST + pairs {
        let chance = mixed(nth as u64);
        let id = ids.ids[usize::try_from(chance >> 8).unwrap_or_default() % ids.ids.len()];
        let mut took = [0.0; 2];
        // Which of both is asked for first, chance says.
        for which in if chance & 1 == 0 { [0, 1] } else { [1, 0] } {
            let path = format!("{}/{}", ids.path, if which == 0 { id } else { id + MISSING });
            took[which] = caller.get(&path, StatusCode::NOT_FOUND).await?.as_secs_f64() * 1e6;
        }
        if nth >= FIRST {
            there.push(took[0]);
            missing.push(took[1]);
        }
    }
    Pairs::of(there, missing).context("there were pairs")
}
