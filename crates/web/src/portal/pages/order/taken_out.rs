//! Taking lines out of the selection, those of one reason at a time: the lines that were seen under it, and no others.

use std::collections::HashMap;

use lineshift_domain::ids::DeviceId;
use lineshift_domain::order::Order;
use lineshift_engine::EngineError;
use sha2::{Digest as _, Sha256};

use super::chosen::{self, ChosenLines, unselect};
use super::form::Asked;
use super::preview::{Changed, Judged, judged};
use super::summary;
use crate::portal::form::Form;
use crate::portal::page::thousands;
use crate::portal::viewer::Viewer;

/// The reason whose lines leave the selection.
pub(super) const DROP: &str = "drop";

/// What the lines were known by that stood under it.
const GROUP: &str = "group";

/// What lines without a number are known by where they are taken out of the selection.
pub(super) const NO_NUMBER: &str = "no_number";

/// Likewise those whose number an order names already.
pub(super) const REPEATED_NUMBER: &str = "repeated_number";

/// Takes the lines that are refused, or set aside, for one reason out of the selection, and looks at what is left. Where they are not those
/// that were seen, nothing is taken out: nobody loses a line from the selection that they did not see there.
pub(super) async fn without(
    viewer: &Viewer,
    asked: &Asked,
    order: Order,
    form: &Form,
    code: &str,
) -> Result<(Judged, Option<Changed>), EngineError> {
    let seen = form.text(GROUP).unwrap_or_default();
    let of_chosen = |chosen: ChosenLines| if code == NO_NUMBER { chosen.unnamed.ids } else { chosen.repeated.ids };
    let (lines, before) = if [NO_NUMBER, REPEATED_NUMBER].contains(&code) {
        (of_chosen(chosen::lines(viewer, asked.portal, asked.provider.id).await?), None)
    } else {
        let before = judged(viewer, asked, order.clone()).await?;
        (refused(&before).remove(code).unwrap_or_default(), Some(before))
    };
    if mark(&lines) == seen {
        drop(before);
        unselect(viewer, asked.portal, &lines).await?;
        return Ok((judged(viewer, asked, order).await?, None));
    }
    let now = match before {
        Some(before) => before,
        None => judged(viewer, asked, order).await?,
    };
    Ok((now, Some(Changed { nothing: "Nothing was taken out of the selection.", what: difference(seen, lines.len()) })))
}

/// The lines that are refused, by reason.
fn refused(judged: &Judged) -> HashMap<&'static str, Vec<DeviceId>> {
    let mut lines: HashMap<&'static str, Vec<DeviceId>> = HashMap::new();
    for (place, code) in &judged.preview.refused_places {
        lines.entry(code.as_str()).or_default().extend(judged.chosen.ids.get(*place as usize));
    }
    lines
}

/// What the refused lines of each reason are known by.
pub(super) fn marks(judged: &Judged) -> HashMap<&'static str, String> {
    refused(judged).into_iter().map(|(code, lines)| (code, mark(&lines))).collect()
}

/// What lines are known by, in whatever order: how many, and a digest of their ids.
pub(super) fn mark(lines: &[DeviceId]) -> String {
    let mut sorted = lines.to_vec();
    sorted.sort_unstable();
    let mut hash = Sha256::new();
    for line in &sorted {
        hash.update(line.0.to_be_bytes());
    }
    hash.finalize().iter().fold(format!("{} ", lines.len()), |mark, byte| mark + &format!("{byte:02x}"))
}

/// What is different from the group that was seen.
fn difference(seen: &str, now: usize) -> String {
    let before = seen.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0_i64);
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    if now == before {
        return "As many lines stand under that reason, but they are not the same ones.".to_owned();
    }
    format!("Now {} under that reason, {} before.", summary::lines(now), thousands(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_known_by_which_they_are_and_not_by_their_order() {
        let of = |ids: &[i64]| mark(&ids.iter().copied().map(DeviceId).collect::<Vec<_>>());
        assert_eq!(of(&[1, 2]), of(&[2, 1]));
        assert_ne!(of(&[1, 2]), of(&[1, 3]), "as many, but other ones");
        assert!(of(&[1, 2]).starts_with("2 ") && of(&[]).starts_with("0 "));
    }

    #[test]
    fn what_is_different_is_told() {
        assert_eq!(difference("1 ab", 3), "Now 3 lines under that reason, 1 before.");
        assert!(difference("2 ab", 2).contains("not the same ones"));
    }
}
