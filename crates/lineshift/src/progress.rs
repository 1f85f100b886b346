//! Progress bars, on standard error; they are drawn for people only, and a program that reads it sees none.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over so many things, with a rate and an estimate of its own.
pub(crate) fn counting(what: &str, total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    bar.set_style(style("{msg:28} {wide_bar} {human_pos:>9} of {human_len:9} {per_sec:>14} {eta:>4} left"));
    bar.set_message(what.to_owned());
    bar
}

/// A bar over so many bytes.
pub(crate) fn bytes(what: &str) -> ProgressBar {
    let bar = ProgressBar::new(0);
    bar.set_style(style("{msg:28} {wide_bar} {binary_bytes:>10} of {binary_total_bytes:10} {eta:>4} left"));
    bar.set_message(what.to_owned());
    bar
}

/// A bar over the lines of a bulk change; rate and estimate are the server's, given as the bar's prefix.
pub(crate) fn lines(what: &str) -> ProgressBar {
    let bar = ProgressBar::new(0);
    bar.set_style(style("{msg:28} {wide_bar} {human_pos:>9} of {human_len:9} {prefix:>30}"));
    bar.set_message(what.to_owned());
    bar
}

/// A count that is drawn only once it has taken a second: most are done before.
pub(crate) struct Patient {
    bar: ProgressBar,
    since: Instant,
    is_drawn: bool,
}

impl Patient {
    pub(crate) fn counting(what: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(style("{spinner} {msg:28} {human_pos:>9}"));
        bar.set_message(what.to_owned());
        Self { bar, since: Instant::now(), is_drawn: false }
    }

    /// So many more are done.
    pub(crate) fn add(&mut self, more: usize) {
        if !self.is_drawn && self.since.elapsed() > Duration::from_secs(1) {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.is_drawn = true;
        }
        self.bar.inc(more as u64);
    }
}

impl Drop for Patient {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Something that takes a while and has no length.
pub(crate) fn spinning(what: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.set_style(style("{spinner} {msg}"));
    bar.set_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates of this file are well-formed").progress_chars("█▉▊▋▌▍▎▏ ")
}
