//! How the places of an account are shared among the processes that call it (B7.4).
//!
//! A place is the right to have one call under way. Each process, here a *holder*, leases as many as it wants and may have, and asks
//! again while it uses them. A holder with more than its share is told so, lets the calls beyond it end, and gives the places up
//! with its next asking; only then are they another's. So the places of all holders together are never more than the account
//! allows, whoever asks when.

use chrono::{DateTime, TimeDelta, Utc};

/// How long a holder keeps a place while another waits for one, when there are more holders than places.
pub const TURN: TimeDelta = TimeDelta::seconds(5);

/// A holder without a place that did not ask again for so long waits no more. Whoever waits asks every second.
pub const WAITS_FOR: TimeDelta = TimeDelta::seconds(5);

/// What is stored of one holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceHolder {
    /// Which process, and which of its accounts.
    pub holder: String,
    /// Calls that it may have under way.
    pub places: u32,
    /// How many it wants.
    pub wanted: u32,
    /// Since when it has places; without any: since when it waits.
    pub since: DateTime<Utc>,
    /// Until when it has them, or counts as waiting.
    pub lease_until: DateTime<Utc>,
}

/// What a holder asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacesAsked {
    /// How many it would use now, at least one.
    pub wanted: u32,
    /// How many it cannot do without: those of its calls under way, and of calls that it may begin while it is being answered.
    pub kept: u32,
    /// Calls that the account allows at a time, to all together.
    pub concurrency: u32,
    /// Until when it would have them.
    pub until: DateTime<Utc>,
}

/// What a holder was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacesLeased {
    /// Calls that it may have under way. More than `share` only while it keeps them.
    pub places: u32,
    /// What it may have at most as things stand: what is beyond is to be given up with the next asking.
    pub share: u32,
}

/// Decides what `holder` is given. `others` are those beside it whose leases run, `own` is what is stored of it if its lease runs,
/// too. Answers what it was given and what is to be stored of it.
#[must_use]
pub fn lease_places(
    holder: &str,
    (own, others): (Option<&PlaceHolder>, &[PlaceHolder]),
    asked: PlacesAsked,
    now: DateTime<Utc>,
) -> (PlacesLeased, PlaceHolder) {
    let concurrency = asked.concurrency.max(1);
    let share = if others.len() < usize::try_from(concurrency).unwrap_or(usize::MAX) {
        fair_share(others, holder, concurrency)
    } else {
        share_in_turns(holder, (own, others), concurrency, now)
    };
    let left = concurrency.saturating_sub(others.iter().map(|other| other.places).sum());
    let places = asked.wanted.max(1).min(share).max(asked.kept).min(left);
    let goes_on = own.filter(|own| (own.places > 0) == (places > 0));
    let since = goes_on.map_or(now, |own| own.since);
    let lease_until = if places > 0 { asked.until } else { asked.until.min(now + WAITS_FOR) };
    let stored = PlaceHolder { holder: holder.to_owned(), places, wanted: asked.wanted.max(1), since, lease_until };
    (PlacesLeased { places, share }, stored)
}

/// What each may have who wants more than there are equal parts: those who want less leave the rest to the others.
fn fair_share(others: &[PlaceHolder], holder: &str, concurrency: u32) -> u32 {
    let mut wanting: Vec<(u32, &str)> = others.iter().map(|other| (other.wanted.max(1), other.holder.as_str())).collect();
    wanting.sort_unstable();
    let (mut left, mut sharing) = (concurrency, others.len() + 1);
    let equal_part = |left: u32, sharing: usize| left / u32::try_from(sharing).unwrap_or(u32::MAX).max(1);
    let mut content = 0;
    for (wanted, _) in &wanting {
        if *wanted > equal_part(left, sharing) {
            break;
        }
        left -= wanted;
        sharing -= 1;
        content += 1;
    }
    let part = equal_part(left, sharing);
    let over = left - part * u32::try_from(sharing).unwrap_or(u32::MAX);
    // What does not come out even goes to the first by name: the same for whoever asks.
    let before = wanting[content..].iter().filter(|(_, other)| *other < holder).count();
    part + u32::from(u32::try_from(before).is_ok_and(|before| before < over))
}

/// With more holders than places each has one for its turn: who has it keeps it that long, then those come who wait longest.
fn share_in_turns(
    holder: &str,
    (own, others): (Option<&PlaceHolder>, &[PlaceHolder]),
    concurrency: u32,
    now: DateTime<Utc>,
) -> u32 {
    let rank = |places: u32, since: DateTime<Utc>| match places {
        0 => 1,
        _ if now - since < TURN => 0,
        _ => 2,
    };
    let (places, since) = own.map_or((0, now), |own| (own.places, own.since));
    let mine = (rank(places, since), since, holder);
    let before =
        others.iter().filter(|other| (rank(other.places, other.since), other.since, other.holder.as_str()) < mine).count();
    u32::from(u32::try_from(before).is_ok_and(|before| before < concurrency))
}
