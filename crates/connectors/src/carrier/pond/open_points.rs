//! What is not known about POND, each point a function of its own with a stated default, so that it can be replaced where an
//! account behaves otherwise.

/// The open points. Each default is what is believed to be right, or else what is safe.
pub trait OpenPoints: Send + Sync + 'static {
    /// Where all SIMs are listed, below the distributor. Default, by analogy with `/sim/{iccid}`: `/sim`.
    fn sims_path(&self) -> &str {
        "/sim"
    }

    /// How many elements of a list are asked for at once, from 1. Default: 100, which is not known to be too many.
    fn page_size(&self) -> usize {
        100
    }
}

/// The stated defaults.
#[derive(Debug, Clone, Copy, Default)]
pub struct StatedDefaults;

impl OpenPoints for StatedDefaults {}
