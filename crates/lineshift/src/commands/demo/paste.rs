//! Lines for whoever looks around in the portal: a text such as people get them by mail, to be pasted there.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::fleet::{Fleet, Line, Special, catalogue, orders};

/// Under which name it lies beside the store.
const FILE: &str = "lines-to-paste.txt";

/// Lines of it that can be ordered for.
const LINES: usize = 60;

/// Writes the text; answers where it is.
pub(super) fn write(fleet: &Fleet, directory: &Path) -> Result<PathBuf> {
    let file = directory.join(FILE);
    std::fs::write(&file, text(fleet)).with_context(|| format!("writing {}", file.display()))?;
    Ok(file)
}

/// Routers that can be ordered for, some that an order refuses, one that the fleet does not have, and one that somebody has mistyped.
fn text(fleet: &Fleet) -> String {
    let ordinary = sound(fleet);
    let refused = fleet.lines_of(catalogue::ROUTERS).filter(|line| line.special == Special::Archived).take(3);
    let stranger = fleet.stranger(catalogue::ROUTERS, 0);
    let mut text = String::from("Routers of the new customer, please hand them over:\n");
    for (nth, line) in (1..).zip(ordinary.chain(refused).chain([stranger])) {
        text.push_str(&format!("{nth}. router, SIM {};\n", line.iccid));
    }
    text.push_str("and SIM 8901170006534973, which I cannot read\n");
    text
}

/// Lines that an order takes: none that the orders at the carrier took out of use, and last those that these moved, for a fleet that is too
/// small for all.
fn sound(fleet: &Fleet) -> impl Iterator<Item = Line> {
    let moved: HashSet<String> = orders::at_carrier(fleet, catalogue::ROUTERS).map(|line| line.iccid).collect();
    let usable = move |line: &Line| line.special == Special::Ordinary && line.is_active() && !moved.contains(&line.iccid);
    fleet.lines_of(catalogue::ROUTERS).filter(usable).chain(orders::in_use_after(fleet, catalogue::ROUTERS)).take(LINES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_fleet_has_lines_to_paste_too() {
        let text = text(&Fleet::new(1_000, 7));
        assert_eq!(text.matches("router, SIM 8").count(), LINES + 3 + 1, "{text}");
        let fleet = Fleet::new(1_000, 7);
        let in_use: Vec<String> = orders::in_use_after(&fleet, catalogue::ROUTERS).map(|line| line.iccid).collect();
        let moved = orders::at_carrier(&fleet, catalogue::ROUTERS).map(|line| line.iccid).filter(|iccid| text.contains(iccid));
        let (in_use, out_of_use): (Vec<String>, Vec<String>) = moved.partition(|iccid| in_use.contains(iccid));
        assert!(!in_use.is_empty() && out_of_use.is_empty(), "{out_of_use:?}");
    }

    #[test]
    fn lines_that_were_moved_at_their_carrier_are_not_handed_over() {
        let fleet = Fleet::new(10_000, 7);
        let text = text(&fleet);
        let moved = orders::at_carrier(&fleet, catalogue::ROUTERS).filter(|line| text.contains(&line.iccid));
        assert_eq!((moved.count(), text.matches("router, SIM 8").count()), (0, LINES + 3 + 1));
    }
}
