//! What the fuzzer does with bytes that it makes up: the same for `fuzz/`, which makes them up, and for the tests, which replay those
//! that are kept in `fuzz/seeds/TARGET/`.
//!
//! A target panics where something does not hold: whatever comes in is read or refused, what is refused names a place and is not
//! longer than a small page, nothing that is secret is repeated, and what is read means the same however it is laid out.

mod callbacks;
mod csv_files;
mod json_layout;
mod lines;
mod orders;
mod outside;
mod queries;
mod records;
mod refusals;
mod words;
mod world;

/// What takes inputs, one after the other. It panics where something does not hold.
pub type Run = Box<dyn Fn(&[u8])>;

/// A target by the name of its folder of seeds.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name.
    pub name: &'static str,
    /// Makes what takes inputs, with all that it needs: a store in a temporary directory, say.
    pub begin: fn() -> Run,
}

/// All of them.
pub const TARGETS: [Target; 8] = [
    Target { name: "orders", begin: || Box::new(orders::run) },
    Target { name: "records", begin: records::begin },
    Target { name: "csv_files", begin: csv_files::begin },
    Target { name: "callbacks", begin: || Box::new(callbacks::run) },
    Target { name: "outside", begin: outside::begin },
    Target { name: "queries", begin: || Box::new(queries::run) },
    Target { name: "words", begin: || Box::new(words::run) },
    Target { name: "lines", begin: || Box::new(lines::run) },
];

/// Begins the target of that name; for `fuzz/`.
///
/// # Panics
/// There is none.
#[must_use]
pub fn begin(name: &str) -> Run {
    let found = TARGETS.iter().find(|target| target.name == name);
    (found.unwrap_or_else(|| panic!("there is no target {name}")).begin)()
}

/// Takes the first byte as a choice among `choices`; the rest is the input.
fn choose<'b, T>(bytes: &'b [u8], choices: &[T]) -> Option<(T, &'b [u8])>
where
    T: Copy,
{
    let (first, rest) = bytes.split_first()?;
    Some((choices[usize::from(*first) % choices.len()], rest))
}
