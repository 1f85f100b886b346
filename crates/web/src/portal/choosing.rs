//! The lines that somebody has chosen in a portal: whose selection it is, how much stands in it, and what becomes of identifiers that they
//! paste or send.

use std::collections::HashSet;

use lineshift_domain::lines::Digits;
use lineshift_domain::scopes::Action;
use lineshift_domain::terms::{LineIdentifier, PortalType};
use lineshift_domain::written::{Entry, looks_rounded, read_text};
use lineshift_store::selections::{SELECTED_AT_ONCE, Selecting, SelectionKey, Written};

use super::page::thousands;
use super::viewer::{Viewer, segment};
use crate::problem::ApiProblem;

/// Examples of each reason for which something could not be used.
const EXAMPLES: usize = 5;

/// Identifiers that are read out of one text or file: twice what the largest order takes. What is behind them is not looked up.
const MOST_READ: usize = 2_000_000;

/// Characters of an example.
const EXAMPLE_CHARACTERS: usize = 60;

/// Whose selection it is, as it counts now.
pub(super) fn key(viewer: &Viewer, portal: PortalType) -> SelectionKey {
    SelectionKey::at(viewer.person.signed_in.user, portal, viewer.web.engine.clock().now())
}

/// As many lines as one order takes, from now on.
pub(super) fn selecting(viewer: &Viewer) -> Selecting {
    let most = viewer.web.engine.limits().devices_per_change as u64;
    Selecting { now: viewer.web.engine.clock().now(), most }
}

/// Lines are chosen by those who may order something for them.
pub(super) fn may_choose(viewer: &Viewer, portal: PortalType) -> bool {
    viewer.may(portal, Action::Create)
}

/// What is chosen, as it stands on pages about lines.
pub(super) struct Chosen {
    pub(super) lines: i64,
    /// How many, with their thousands apart.
    pub(super) count: String,
    /// The portal, as it stands in addresses.
    pub(super) portal: &'static str,
}

impl Chosen {
    /// What the viewer has chosen; none: they may choose nothing here.
    pub(super) async fn of(viewer: &Viewer, portal: PortalType) -> Result<Option<Self>, ApiProblem> {
        if !may_choose(viewer, portal) {
            return Ok(None);
        }
        let lines = viewer.web.selection_counts.lines(viewer, portal).await?;
        Ok(Some(Self { lines, count: thousands(lines), portal: segment(portal) }))
    }
}

/// Why something that was written is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unusable {
    Malformed,
    LostDigits,
    NotFound,
    Ambiguous,
    Full,
}

impl Unusable {
    const ALL: [Self; 5] = [Self::LostDigits, Self::Malformed, Self::NotFound, Self::Ambiguous, Self::Full];

    /// What is wrong, and what can be done.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Malformed => (
                "Not well-formed",
                "An ICCID has 18 to 22 digits, a number 10 to 15; these have more or fewer, or letters among them.",
            ),
            Self::LostDigits => {
                ("Last digits are lost", "Excel has replaced the last digits: format the column as text and export again.")
            }
            Self::NotFound => ("Not found", "No line that you may see has these."),
            Self::Ambiguous => ("Several lines have this number", "Give the ICCIDs of those that you mean."),
            Self::Full => ("Too many", "More lines cannot be chosen at once: order for those that are chosen, or take some out."),
        }
    }
}

/// What could not be used for one reason.
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) advice: &'static str,
    pub(super) count: String,
    pub(super) examples: Vec<String>,
    pub(super) are_more: bool,
}

/// Counts and examples by reason.
#[derive(Default)]
struct Groups([(u64, Vec<String>); 5]);

impl Groups {
    fn add(&mut self, why: Unusable, example: impl FnOnce() -> String) {
        let place = Unusable::ALL.iter().position(|each| *each == why).expect("all of them are listed");
        let (count, examples) = &mut self.0[place];
        *count += 1;
        if examples.len() < EXAMPLES {
            let example = example();
            if !examples.contains(&example) {
                examples.push(example);
            }
        }
    }

    fn shown(self) -> Vec<Group> {
        let each = Unusable::ALL.into_iter().zip(self.0).filter(|(_, (count, _))| *count > 0);
        each.map(|(why, (count, examples))| {
            let (title, advice) = why.words();
            let are_more = count > examples.len() as u64;
            Group { title, advice, count: thousands(count as i64), examples, are_more }
        })
        .collect()
    }
}

/// What was read of a text or a table: each identifier once, in the order in which they stood there.
#[derive(Default)]
pub(super) struct Reading {
    iccids: Vec<Digits>,
    numbers: Vec<Digits>,
    seen: HashSet<Digits>,
    repeated: u64,
    unusable: Groups,
}

impl Reading {
    /// Everything that a text holds.
    pub(super) fn of_text(text: &str) -> Self {
        let mut reading = Self::default();
        reading.read(text);
        reading
    }

    /// Reads on in another text.
    pub(super) fn read(&mut self, text: &str) {
        read_text(text, |entry| self.take(entry));
    }

    fn take(&mut self, entry: Entry<'_>) {
        let (list, digits) = match entry {
            Entry::Iccid(digits) => (&mut self.iccids, digits),
            Entry::Number(digits) => (&mut self.numbers, digits),
            Entry::Malformed(text) => return self.unusable.add(Unusable::Malformed, || example(text)),
            Entry::LostDigits(text) => return self.unusable.add(Unusable::LostDigits, || example(text)),
        };
        if self.seen.contains(&digits) {
            self.repeated += 1;
        } else if self.seen.len() == MOST_READ {
            self.unusable.add(Unusable::Full, || digits.to_string());
        } else {
            self.seen.insert(digits);
            list.push(digits);
        }
    }

    /// Whether there was nothing at all that could be meant.
    pub(super) fn is_empty(&self) -> bool {
        self.seen.is_empty() && self.unusable.0.iter().all(|(count, _)| *count == 0)
    }

    /// Chooses the lines, some thousands at a time, and says what became of each.
    pub(super) async fn choose(self, viewer: &Viewer, portal: PortalType) -> Result<Outcome, ApiProblem> {
        let Self { iccids, numbers, repeated, mut unusable, .. } = self;
        let (mut added, mut already) = (0, 0);
        let (tenant, reach, key) = (viewer.caller.tenant, &viewer.caller.rights.reach, key(viewer, portal));
        for (identifier, list) in [(LineIdentifier::Iccid, iccids), (LineIdentifier::Number, numbers)] {
            for some in list.chunks(SELECTED_AT_ONCE) {
                let store = viewer.web.engine.store();
                let became = store.select_written(tenant, &key, reach, identifier, some, selecting(viewer)).await?;
                for (digits, became) in some.iter().zip(became) {
                    let is_rounded = identifier == LineIdentifier::Iccid && looks_rounded(*digits);
                    let why = match became {
                        Written::Added => {
                            added += 1;
                            continue;
                        }
                        Written::AlreadyChosen => {
                            already += 1;
                            continue;
                        }
                        Written::NotFound if is_rounded => Unusable::LostDigits,
                        Written::NotFound => Unusable::NotFound,
                        Written::Ambiguous => Unusable::Ambiguous,
                        Written::Full => Unusable::Full,
                    };
                    unusable.add(why, || digits.to_string());
                }
            }
        }
        Ok(Outcome { added, already, repeated, unusable: unusable.shown() })
    }
}

/// What became of everything that was written.
pub(super) struct Outcome {
    pub(super) added: i64,
    pub(super) already: i64,
    pub(super) repeated: u64,
    pub(super) unusable: Vec<Group>,
}

fn example(text: &str) -> String {
    match text.char_indices().nth(EXAMPLE_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_identifier_is_read_once_and_the_rest_is_grouped() {
        let text = "89012602101234567890 89012602101234567890,6175550100; 8.9E+19\n8901260210123456 8901260210123456";
        let reading = Reading::of_text(text);
        assert_eq!((reading.iccids.len(), reading.numbers.len(), reading.repeated), (1, 1, 1));
        assert!(!reading.is_empty() && Reading::of_text("nothing here").is_empty());
        let groups = reading.unusable.shown();
        assert_eq!(
            groups.iter().map(|group| (group.title, &*group.count)).collect::<Vec<_>>(),
            [("Last digits are lost", "1"), ("Not well-formed", "2")]
        );
        assert_eq!(groups[1].examples, ["8901260210123456"]);
    }
}
