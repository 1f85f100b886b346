//! A SIM with its packages, and the engine's side of the saga: what is known, recorded, lost and tried again.

use lineshift_domain::carrier::{CarrierChange, CarrierLine, CarrierPackage};
use lineshift_domain::terms::StepState;
use proptest::arbitrary::Arbitrary;
use proptest::prelude::*;
use proptest::sample::Select;

use super::super::{ACTIVATE, ADD, TERMINATE, next};
use crate::carrier::{Act, Known, KnownPart, Next, Repeat};

/// How far a package is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Added,
    Active,
    Ended,
}

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happens {
    /// It works and is answered.
    Works,
    /// It is clearly refused; a reading is tried again.
    Refused,
    /// Nothing was sent, and it is to be sent again.
    PutOff,
    /// It works, and nobody hears of it.
    WorksUnheard,
    /// It does not work, and nobody hears of that.
    FailsUnheard,
    /// It works, and the process dies before it hears.
    WorksThenDies,
    /// The process dies between the intent and the call.
    DiesFirst,
    /// It works and is recorded, and then the process dies.
    DiesAfter,
}

impl Arbitrary for Status {
    type Parameters = ();
    type Strategy = Select<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        prop::sample::select(vec![Self::Added, Self::Active, Self::Ended])
    }
}

impl Arbitrary for Happens {
    type Parameters = ();
    type Strategy = Select<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        prop::sample::select(vec![
            Self::Works,
            Self::Refused,
            Self::PutOff,
            Self::WorksUnheard,
            Self::FailsUnheard,
            Self::WorksThenDies,
            Self::DiesFirst,
            Self::DiesAfter,
        ])
    }
}

/// The SIM, and what is known of it.
pub(super) struct World {
    packages: Vec<(String, String, Status)>,
    there: Option<CarrierLine>,
    sent_since: bool,
    parts: Vec<KnownPart>,
    happened: usize,
    /// What somebody else does whenever the process is gone.
    meddling: Vec<Option<(usize, Status)>>,
}

impl World {
    /// A SIM with packages p1, p2 ... of these types.
    pub(super) fn with(packages: &[(&str, Status)]) -> Self {
        let numbered = (1..).zip(packages);
        let packages = numbered.map(|(number, (plan, status))| (format!("p{number}"), (*plan).to_owned(), *status)).collect();
        Self { packages, there: None, sent_since: false, parts: Vec::new(), happened: 0, meddling: Vec::new() }
    }

    /// Whenever the process dies or an attempt is over, somebody else does the next of these to a package that has not ended.
    pub(super) fn meddled_with(mut self, meddling: Vec<Option<(usize, Status)>>) -> Self {
        self.meddling = meddling;
        self
    }

    /// The saga until it ends. What happens to its calls is given, and then all works.
    pub(super) fn walk(&mut self, plan: &str, happens: &[Happens]) -> (Next, Vec<String>) {
        let asked = CarrierChange::RatePlan { rate_plan: Some(plan.to_owned()), comm_plan: None, effective_at: None };
        let mut log = Vec::new();
        let mut happens = happens.iter().copied();
        self.happened = 0;
        for _ in 0..200 {
            let known = Known { there: self.there.as_ref(), sent_since: self.sent_since, parts: &self.parts };
            let step = next(&asked, &known);
            match step {
                Next::Read => {
                    log.push("read".to_owned());
                    self.happened += 1;
                    self.read(happens.next().unwrap_or(Happens::Works));
                }
                Next::Found { part, external_id } => {
                    log.push(format!("found {part} {external_id}"));
                    self.found(part, external_id);
                }
                Next::Send(act) => {
                    let about = act.about.as_ref().map(|about| format!(" {about}")).unwrap_or_default();
                    log.push(format!("{} {}{about}", act.what, act.part));
                    self.happened += 1;
                    self.send(&act, plan, happens.next().unwrap_or(Happens::Works));
                }
                end @ (Next::Stands | Next::Refuse(_) | Next::LeftBeside(_) | Next::TakenBack(_)) => {
                    if end == Next::Stands {
                        assert_eq!(self.active_plans(), [plan], "{log:?}");
                    }
                    return (end, log);
                }
            }
        }
        panic!("it does not end: {log:?}");
    }

    /// How many calls the last walk made.
    pub(super) const fn happened(&self) -> usize {
        self.happened
    }

    /// Another attempt: what failed in the last one may be sent again, and nothing was read yet.
    pub(super) fn retry(&mut self) {
        for part in &mut self.parts {
            if part.state == StepState::Failed {
                part.state = StepState::Pending;
            }
        }
        self.dies();
    }

    /// Somebody else changes a package.
    pub(super) fn change(&mut self, id: &str, status: Status) {
        self.package(id).2 = status;
    }

    /// The packages that are active.
    pub(super) fn active(&self) -> Vec<&str> {
        self.packages.iter().filter(|package| package.2 == Status::Active).map(|package| package.0.as_str()).collect()
    }

    /// The plans of those.
    pub(super) fn active_plans(&self) -> Vec<&str> {
        self.packages.iter().filter(|package| package.2 == Status::Active).map(|package| package.1.as_str()).collect()
    }

    /// Whether what a part found was there before.
    pub(super) fn adopted(&self, part: u16) -> bool {
        self.parts.iter().any(|known| known.part == part && known.adopted)
    }

    fn package(&mut self, id: &str) -> &mut (String, String, Status) {
        self.packages.iter_mut().find(|package| package.0 == id).expect("nobody asks for another")
    }

    fn dies(&mut self) {
        (self.there, self.sent_since) = (None, false);
        if let Some(Some((at, status))) = self.meddling.pop() {
            let count = self.packages.len().max(1);
            if let Some(package) = self.packages.get_mut(at % count).filter(|package| package.2 != Status::Ended) {
                package.2 = status;
            }
        }
    }

    fn read(&mut self, happens: Happens) {
        match happens {
            Happens::Works | Happens::WorksUnheard => {}
            Happens::DiesFirst | Happens::DiesAfter | Happens::WorksThenDies => return self.dies(),
            Happens::Refused | Happens::PutOff | Happens::FailsUnheard => return,
        }
        let packages = self.packages.iter().map(|(id, plan, status)| CarrierPackage {
            id: id.clone(),
            rate_plan: Some(plan.clone()),
            is_active: *status == Status::Active,
            is_ended: *status == Status::Ended,
        });
        self.there = Some(CarrierLine { packages: packages.collect(), ..CarrierLine::default() });
        self.sent_since = false;
    }

    fn found(&mut self, part: u16, id: String) {
        let intended = self.parts.iter().any(|known| known.part == part && known.state == StepState::Ambiguous);
        self.record(KnownPart { part, state: StepState::Done, external_id: Some(id), adopted: !intended });
    }

    fn record(&mut self, part: KnownPart) {
        let present = self.parts.iter().position(|known| known.part == part.part);
        if let Some(at) = present {
            assert_ne!(self.parts[at].state, StepState::Done, "{part:?} was done already");
            self.parts[at] = part;
        } else {
            self.parts.push(part);
        }
    }

    fn send(&mut self, act: &Act, plan: &str, happens: Happens) {
        assert!(act.part < Act::MOST_PARTS);
        if act.repeat == Repeat::Creates {
            assert!(self.there.is_some() && !self.sent_since, "it is not known whether it is there");
        }
        let works = matches!(happens, Happens::Works | Happens::WorksUnheard | Happens::WorksThenDies | Happens::DiesAfter);
        let created = works.then(|| self.perform(act, plan)).flatten();
        let state = match happens {
            Happens::Works | Happens::DiesAfter => StepState::Done,
            Happens::Refused => StepState::Failed,
            Happens::PutOff => StepState::Pending,
            Happens::WorksUnheard | Happens::FailsUnheard | Happens::WorksThenDies | Happens::DiesFirst => StepState::Ambiguous,
        };
        let heard = created.filter(|_| state == StepState::Done);
        self.record(KnownPart { part: act.part, state, external_id: act.about.clone().or(heard), adopted: false });
        self.sent_since = true;
        if matches!(happens, Happens::WorksThenDies | Happens::DiesFirst | Happens::DiesAfter) {
            self.dies();
        }
    }

    /// What the carrier does; answers the id of what it created.
    fn perform(&mut self, act: &Act, plan: &str) -> Option<String> {
        let about = act.about.as_deref();
        match act.what {
            ADD => {
                let lives = self.packages.iter().any(|package| package.1 == plan && package.2 != Status::Ended);
                assert!(!lives, "a second live package of type {plan}: {:?}", self.packages);
                let id = format!("p{}", self.packages.len() + 1);
                self.packages.push((id.clone(), plan.to_owned(), Status::Added));
                return Some(id);
            }
            ACTIVATE => self.package(about.expect("it is about one")).2 = Status::Active,
            TERMINATE => self.package(about.expect("it is about one")).2 = Status::Ended,
            other => panic!("POND knows no {other}"),
        }
        None
    }
}
