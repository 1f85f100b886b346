//! What can go wrong on order, and how often it does.

use super::chance::Chance;

/// One kind of fault. A call that changes something and *works* has done so whatever its caller hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It works, and no answer ever comes.
    WorksThenSilence,
    /// No answer comes, and it works only later, when the caller has given up.
    WorksLate,
    /// It does not work, and no answer ever comes.
    Silence,
    /// It works, and the answer is 500.
    Works500,
    /// It works, and the answer is 502.
    Works502,
    /// It works, and the answer is 504.
    Works504,
    /// It does not work: 500.
    Fails500,
    /// It does not work: 502.
    Fails502,
    /// It does not work: 503.
    Fails503,
    /// It does not work: 504.
    Fails504,
    /// It does not work, and the connection is reset before any answer.
    Reset,
    /// It works, and the connection is reset before any answer.
    WorksThenReset,
    /// It works, and the connection is reset in the middle of the answer's body.
    WorksThenCut,
    /// It works, and the answer is a success whose body nobody can read.
    WorksThenUnreadable,
    /// It works, and searches find what was created only seconds later.
    SearchLags,
    /// It does not work: 429 with `Retry-After`.
    Throttled,
    /// It does not work: 429 without `Retry-After`; the first number of its message is the seconds to wait.
    ThrottledInWords,
    /// It works, and the answer is a success whose body is empty.
    WorksThenEmpty,
    /// It works, and the answer is a success whose body is HTML.
    WorksThenHtml,
    /// It works, and the answer is a success whose body is XML.
    WorksThenXml,
    /// It does not work, and the error stands in the body of a success; 500 where the system knows no such thing.
    FailsInside,
}

impl Fault {
    /// Those that every system has.
    pub const ALL: [Self; 17] = [
        Self::WorksThenSilence,
        Self::WorksLate,
        Self::Silence,
        Self::Works500,
        Self::Works502,
        Self::Works504,
        Self::Fails500,
        Self::Fails502,
        Self::Fails503,
        Self::Fails504,
        Self::Reset,
        Self::WorksThenReset,
        Self::WorksThenCut,
        Self::WorksThenUnreadable,
        Self::SearchLags,
        Self::Throttled,
        Self::ThrottledInWords,
    ];

    /// Those that a carrier has beyond [`Fault::ALL`].
    pub const OF_CARRIERS: [Self; 4] = [Self::WorksThenEmpty, Self::WorksThenHtml, Self::WorksThenXml, Self::FailsInside];

    /// Its name in the summary.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WorksThenSilence => "works_then_silence",
            Self::WorksLate => "works_late",
            Self::Silence => "silence",
            Self::Works500 => "works_500",
            Self::Works502 => "works_502",
            Self::Works504 => "works_504",
            Self::Fails500 => "fails_500",
            Self::Fails502 => "fails_502",
            Self::Fails503 => "fails_503",
            Self::Fails504 => "fails_504",
            Self::Reset => "reset",
            Self::WorksThenReset => "works_then_reset",
            Self::WorksThenCut => "works_then_cut",
            Self::WorksThenUnreadable => "works_then_unreadable",
            Self::SearchLags => "search_lags",
            Self::Throttled => "throttled",
            Self::ThrottledInWords => "throttled_in_words",
            Self::WorksThenEmpty => "works_then_empty",
            Self::WorksThenHtml => "works_then_html",
            Self::WorksThenXml => "works_then_xml",
            Self::FailsInside => "fails_inside",
        }
    }
}

/// The form of an error's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorShape {
    /// A JSON object.
    Object,
    /// A JSON array of one object.
    Array,
    /// Plain text.
    Text,
    /// HTML.
    Html,
    /// No body at all.
    Nothing,
    /// XML.
    Xml,
}

impl ErrorShape {
    /// Those of Rev.io.
    pub const ALL: [Self; 5] = [Self::Object, Self::Array, Self::Text, Self::Html, Self::Nothing];

    /// Those of carriers.
    pub const OF_CARRIERS: [Self; 4] = [Self::Object, Self::Html, Self::Xml, Self::Nothing];
}

/// How often each fault happens, and in which forms errors come.
#[derive(Debug, Clone, PartialEq)]
pub struct Faults {
    chances: Vec<(Fault, f64)>,
    shapes: Vec<ErrorShape>,
}

impl Faults {
    /// Nothing goes wrong; errors are objects.
    #[must_use]
    pub fn none() -> Self {
        Self { chances: Vec::new(), shapes: vec![ErrorShape::Object] }
    }

    /// A call meets a fault with the chance `rate` (0 to 1), each kind as often as any other; errors come in every form.
    #[must_use]
    pub fn all(rate: f64) -> Self {
        let each = rate / Fault::ALL.len() as f64;
        Self { chances: Fault::ALL.map(|fault| (fault, each)).to_vec(), shapes: ErrorShape::ALL.to_vec() }
    }

    /// The same as [`Faults::all`] for a carrier: with what only carriers have, and in their forms.
    #[must_use]
    pub fn of_carrier(rate: f64) -> Self {
        let kinds = Fault::ALL.into_iter().chain(Fault::OF_CARRIERS);
        let each = rate / (Fault::ALL.len() + Fault::OF_CARRIERS.len()) as f64;
        Self { chances: kinds.map(|fault| (fault, each)).collect(), shapes: ErrorShape::OF_CARRIERS.to_vec() }
    }

    /// The same with another chance (0 to 1) for one kind.
    #[must_use]
    pub fn with(mut self, fault: Fault, chance: f64) -> Self {
        self.chances.retain(|(kind, _)| *kind != fault);
        self.chances.push((fault, chance));
        self
    }

    /// The same with errors in these forms only, each as often as any other; none means objects.
    #[must_use]
    pub fn with_shapes(mut self, shapes: &[ErrorShape]) -> Self {
        self.shapes = shapes.to_vec();
        self
    }

    /// Whether nothing goes wrong.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.chances.iter().all(|(_, chance)| *chance <= 0.0)
    }

    /// What one call meets.
    pub(crate) fn draw(&self, chance: &mut Chance) -> Option<Fault> {
        let mut left = chance.unit();
        for (fault, share) in &self.chances {
            if left < *share {
                return Some(*fault);
            }
            left -= share;
        }
        None
    }

    /// The form of an error.
    pub(crate) fn shape(&self, chance: &mut Chance) -> ErrorShape {
        let drawn = chance.below(self.shapes.len() as u64);
        // There is no machine on which the number of forms does not fit.
        self.shapes.get(drawn as usize).copied().unwrap_or(ErrorShape::Object)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_is_listed_once_under_a_name_of_its_own() {
        let all = || Fault::ALL.into_iter().chain(Fault::OF_CARRIERS);
        let names: BTreeSet<&str> = all().map(Fault::name).collect();
        assert_eq!(names.len(), all().count());
    }

    #[test]
    fn faults_are_drawn_as_often_as_asked() {
        let faults = Faults::all(0.2);
        let drawn: Vec<Fault> = (0..20_000).filter_map(|call| faults.draw(&mut Chance::of(9, call))).collect();
        assert!((3_700..4_300).contains(&drawn.len()), "{}", drawn.len());
        assert_eq!(drawn.into_iter().collect::<BTreeSet<_>>().len(), Fault::ALL.len());
        assert!((0..1_000).all(|call| Faults::none().draw(&mut Chance::of(9, call)).is_none()));
        assert!(Faults::none().is_none() && !faults.is_none());
    }

    #[test]
    fn one_kind_can_be_made_certain() {
        let faults = Faults::none().with(Fault::Reset, 1.0);
        assert!((0..100).all(|call| faults.draw(&mut Chance::of(1, call)) == Some(Fault::Reset)));
    }
}
