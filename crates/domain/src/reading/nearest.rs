//! Which known field somebody meant who wrote an unknown one.

/// Names longer than this are not compared: nobody meant a field by them.
const LONGEST_COMPARED: usize = 64;

/// The known name with the fewest typing mistakes between it and what was written, whatever the case; none if even
/// that one is too far off to be what was meant.
#[must_use]
pub fn nearest<'k>(written: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    if written.len() > LONGEST_COMPARED {
        return None;
    }
    let written = written.to_ascii_lowercase();
    known
        .map(|name| (mistakes(&written, &name.to_ascii_lowercase()), name))
        .filter(|(mistakes, name)| *mistakes <= 2.max(name.len() / 4))
        .min_by_key(|(mistakes, _)| *mistakes)
        .map(|(_, name)| name)
}

/// How many characters must be left out, put in or replaced to turn one into the other.
fn mistakes(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (nth, character) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = nth + 1;
        for (at, wanted) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(character != *wanted);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_mistakes_are_seen_through_and_strangers_are_not_guessed() {
        let known = ["RevCustomerId", "SiteId", "CustomerRatePlan", "CustomerRatePool"];
        let nearest = |written| nearest(written, known.into_iter());
        assert_eq!(nearest("revcustmerid"), Some("RevCustomerId"));
        assert_eq!(nearest("CustomerRatePlanId"), Some("CustomerRatePlan"));
        assert_eq!(nearest("SideId"), Some("SiteId"));
        assert_eq!(nearest("Colour"), None);
        assert_eq!(nearest(&"SiteId".repeat(100)), None);
    }
}
