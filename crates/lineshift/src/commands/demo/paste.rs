//! Lines for whoever looks around in the portal: a text such as people get them by mail, to be pasted there.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::fleet::{Fleet, Special, catalogue};

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
    let ordinary = fleet.lines_of(catalogue::ROUTERS).filter(|line| line.special == Special::Ordinary).take(LINES);
    let refused = fleet.lines_of(catalogue::ROUTERS).filter(|line| line.special == Special::Archived).take(3);
    let stranger = fleet.stranger(catalogue::ROUTERS, 0);
    let mut text = String::from("Routers of the new customer, please hand them over:\n");
    for (nth, line) in (1..).zip(ordinary.chain(refused).chain([stranger])) {
        text.push_str(&format!("{nth}. router, SIM {};\n", line.iccid));
    }
    text.push_str("and SIM 8901170006534973, which I cannot read\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_fleet_has_lines_to_paste_too() {
        let text = text(&Fleet::new(1_000, 7));
        assert_eq!(text.matches("router, SIM 8").count(), LINES + 3 + 1, "{text}");
    }
}
