//! Carriers: what each can do, what is asked of it for a line, and how a line stands there (B9.1, B9.2, carriers.md).
//!
//! A carrier is described, not known: whoever calls one registers its [`Abilities`], by which orders are refused at submission,
//! lines are judged, and the engine sends what has to be sent.

use chrono::{DateTime, TimeDelta, Utc};

use crate::judge::RequiredData;
use crate::terms::IntegrationKind;

/// What a carrier can do. What it cannot is refused at submission, by name (B4.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abilities {
    /// Which carrier.
    pub kind: IntegrationKind,
    /// How texts name it: `Jasper`.
    pub name: &'static str,
    /// How many devices one changing call takes; at least 1.
    pub devices_a_call: usize,
    /// When it says what became of a change.
    pub answers: Answers,
    /// How far ahead it takes a date of its own, in days; none: it takes no date, and what is dated ahead is refused (B6.5).
    pub most_days_ahead: Option<i64>,
    /// Carrier rate plans; none: it cannot change them.
    pub rate_plan: Option<RatePlanAbility>,
    /// Statuses; none: it cannot move them.
    pub status: Option<StatusAbility>,
    /// What calls it allows an account unless the account says otherwise.
    pub limits: StatedLimits,
}

/// When a carrier says what became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// With the answer to the call.
    AtOnce,
    /// Later: the call is only accepted, and reading the line back shows what became of it (B5.6).
    Later {
        /// Whether it calls back; a callback is only a reason to look sooner.
        calls_back: bool,
        /// How long it is waited before each look.
        look_every: TimeDelta,
        /// After how long the line ends in ERROR (B5.7).
        deadline: TimeDelta,
    },
}

/// How a carrier changes its rate plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatePlanAbility {
    /// Whether it knows communication plans beside rate plans, so that an order may name one, also alone.
    pub takes_comm_plan: bool,
    /// Whether it can be asked to put the former plan back, so that an undo may (B6.3).
    pub reversible: bool,
    /// Changing and reading calls of a line when all goes well.
    pub calls: (u32, u32),
    /// What it must know of a line (rule 9).
    pub needs: RequiredData,
}

/// How a carrier moves statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusAbility {
    /// Every status, as the carrier writes it.
    pub statuses: &'static [CarrierStatus],
    /// Whether it takes a reason code.
    pub takes_reason_code: bool,
    /// Changing and reading calls of a line when all goes well.
    pub calls: (u32, u32),
    /// What it must know of a line (rule 9).
    pub needs: RequiredData,
}

/// One status of a carrier's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CarrierStatus {
    /// As the carrier writes it.
    pub name: &'static str,
    /// Whether lines in it may be assigned and given plans (rule 5).
    pub is_active: bool,
    /// From which statuses the carrier lets a line be moved to it; none: nobody can order it.
    pub reached_from: &'static [&'static str],
}

impl Abilities {
    /// The statuses in which its lines may be assigned and given plans (rule 5).
    pub fn active_statuses(&self) -> impl Iterator<Item = (IntegrationKind, String)> + use<> {
        let (kind, statuses) = (self.kind, self.status.map_or(&[][..], |ability| ability.statuses));
        statuses.iter().filter(|status| status.is_active).map(move |status| (kind, status.name.to_owned()))
    }
}

impl StatusAbility {
    /// The status of that name, whatever its case.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&'static CarrierStatus> {
        self.statuses.iter().find(|status| status.name.eq_ignore_ascii_case(name))
    }

    /// The statuses that can be ordered, for messages.
    #[must_use]
    pub fn orderable(&self) -> String {
        let names: Vec<&str> =
            self.statuses.iter().filter(|status| !status.reached_from.is_empty()).map(|status| status.name).collect();
        names.join(", ")
    }
}

impl CarrierStatus {
    /// Whether the carrier lets a line be moved here from there. Staying is no move.
    #[must_use]
    pub fn is_reached_from(&self, status: &str) -> bool {
        self.reached_from.iter().any(|from| from.eq_ignore_ascii_case(status))
    }
}

/// What a carrier is known to allow an account, unless its configuration says otherwise. None: the carrier states nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatedLimits {
    /// Calls under way at a time.
    pub concurrency: usize,
    /// Calls that begin in any second.
    pub calls_a_second: Option<u32>,
    /// Calls in any 60 seconds.
    pub calls_a_minute: Option<u32>,
    /// Calls in any 24 hours.
    pub calls_a_day: Option<u32>,
}

/// What is asked of a carrier for a line, once an order is resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CarrierChange {
    /// Another rate plan, communication plan, or both.
    RatePlan {
        /// The plan's code, by which the carrier takes it.
        rate_plan: Option<String>,
        /// The communication plan's name.
        comm_plan: Option<String>,
        /// From when on; none: now. Only where the carrier takes a date.
        effective_at: Option<DateTime<Utc>>,
    },
    /// Another status.
    Status {
        /// As the carrier writes it.
        status: String,
        /// The carrier's reason code.
        reason_code: Option<String>,
    },
}

/// A line as its carrier has it. What the carrier does not say is none, and changes nothing here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CarrierLine {
    /// Status.
    pub status: Option<String>,
    /// Rate plan, by its code.
    pub rate_plan: Option<String>,
    /// Communication plan.
    pub comm_plan: Option<String>,
    /// Subscriber number.
    pub subscriber_number: Option<String>,
    /// Hardware.
    pub imei: Option<String>,
    /// When it was activated.
    pub activated_at: Option<DateTime<Utc>>,
    /// IP address.
    pub ip_address: Option<String>,
    /// The carrier's own id of the line.
    pub carrier_device_id: Option<String>,
    /// What it holds at the carrier, where plans are packages.
    pub packages: Vec<CarrierPackage>,
}

/// A package on a line, where a carrier's plans are packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarrierPackage {
    /// The package's own id.
    pub id: String,
    /// The plan that it is of, by its code.
    pub rate_plan: Option<String>,
    /// Whether it is in use.
    pub is_active: bool,
    /// Whether it has ended for good.
    pub is_ended: bool,
}

impl CarrierChange {
    /// Whether the line stands as asked already, by what is known of it. What is dated ahead never does.
    #[must_use]
    pub fn stands(&self, line: &CarrierLine) -> bool {
        let same = |asked: &Option<String>, present: &Option<String>| asked.is_none() || asked == present;
        match self {
            Self::RatePlan { effective_at: Some(_), .. } => false,
            Self::RatePlan { rate_plan, comm_plan, .. } => same(rate_plan, &line.rate_plan) && same(comm_plan, &line.comm_plan),
            Self::Status { status, .. } => line.status.as_ref().is_some_and(|present| present.eq_ignore_ascii_case(status)),
        }
    }

    /// The same at a moment: a date that has come is no date any more.
    #[must_use]
    pub fn due_by(mut self, now: DateTime<Utc>) -> Self {
        if let Self::RatePlan { effective_at, .. } = &mut self {
            *effective_at = effective_at.filter(|at| *at > now);
        }
        self
    }

    /// What puts a line back to how it stood; none: what was there is not known, or a status, which carriers do not take back.
    #[must_use]
    pub fn undone(&self, before: &CarrierLine) -> Option<Self> {
        let Self::RatePlan { rate_plan, comm_plan, effective_at: None } = self else { return None };
        let put_back = |asked: &Option<String>, present: &Option<String>| match (asked, present) {
            (None, _) => Some(None),
            (Some(_), Some(present)) => Some(Some(present.clone())),
            (Some(_), None) => None,
        };
        Some(Self::RatePlan {
            rate_plan: put_back(rate_plan, &before.rate_plan)?,
            comm_plan: put_back(comm_plan, &before.comm_plan)?,
            effective_at: None,
        })
    }
}
