//! The moments between which a process may die: named, so that tests can kill it at each of them.

use std::sync::Arc;

use futures::future::BoxFuture;
use lineshift_domain::ids::DeviceChangeId;

/// Declares the boundaries, and all of them as a list.
macro_rules! boundaries {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A moment of a page, most of them of one that calls outside, behind which everything may be lost that is not stored.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Boundary { $($(#[$doc])* $name,)* }

        impl Boundary {
            /// Every boundary, in the order in which a page passes them.
            pub const ALL: &'static [Boundary] = &[$(Boundary::$name,)*];

            /// Its name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

boundaries! {
    /// The page's rows were judged, and nothing was called.
    Judged,
    /// What a lost worker had sent is known to be unknown.
    Recovered,
    /// Services were looked up.
    LookedUp,
    /// The account has granted a creating call; its intent is not stored.
    Granted,
    /// The intent is stored; nothing was sent.
    Intended,
    /// The answer is there; the outcome is not stored.
    Answered,
    /// The outcome is stored.
    Recorded,
    /// An unknown outcome was read back; what was found is not stored.
    ReadBack,
    /// The intent to disconnect is stored; nothing was sent.
    UndoIntended,
    /// A disconnecting call was answered; the outcome is not stored.
    UndoAnswered,
    /// Every call of the page was made; rows, history and log are not written.
    Called,
    /// The page was finished.
    Finished,
    /// Of any page: its rows are final; history and links are not written.
    Completing,
}

/// What a test does at a boundary: let go on, or never.
pub type AtBoundary = dyn Fn(Boundary, Option<DeviceChangeId>) -> BoxFuture<'static, ()> + Send + Sync;

/// Nothing, but in tests.
#[derive(Clone, Default)]
pub(crate) struct Boundaries(pub(crate) Option<Arc<AtBoundary>>);

impl Boundaries {
    /// Passes a boundary, of one row or of the page as a whole.
    pub(crate) async fn pass(&self, boundary: Boundary, row: Option<DeviceChangeId>) {
        if let Some(at_boundary) = &self.0 {
            at_boundary(boundary, row).await;
        }
    }
}
