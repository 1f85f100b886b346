//! What every carrier's connector must do, whichever it is. A carrier brings a [`Fixture`], its simulator with something in it, and
//! passes the whole list by `carrier_contract!(ItsFixture);`.

mod abilities;
mod callbacks;
mod changes;
mod faults;
mod reading;
mod refusals;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use lineshift_connectors::carrier::{Carrier, CarrierKind, LineRef};
use lineshift_connectors::http::{Account, AccountKey, AccountLimits, Transport};
use lineshift_domain::carrier::{CarrierChange, CarrierLine};
use lineshift_domain::clock::Clock;
use lineshift_domain::ids::{IntegrationAuthenticationId, TenantId};
use lineshift_simulators::{Fault, Traffic};
use secrecy::SecretString;

pub use self::abilities::abilities_are_coherent;
pub use self::callbacks::a_callback_is_read_only_with_its_credentials;
pub use self::changes::{
    a_batch_tells_of_each_line, a_line_comes_to_another_plan, a_line_comes_to_another_status, what_stands_is_no_harm_to_ask_for,
};
pub use self::faults::{
    an_error_inside_a_success_is_no_success, what_did_not_work_is_sent_again,
    what_worked_unheard_is_settled_by_reading_and_not_done_twice, what_works_late_is_not_done_twice,
};
pub use self::reading::{
    a_line_is_read_as_it_stands, a_read_gets_through_what_passes, lists_go_to_the_end, the_catalogue_has_the_plans,
};
pub use self::refusals::{
    a_refused_status_leaves_the_line_as_it_is, an_unknown_line_is_told, an_unknown_plan_is_refused,
    refused_credentials_are_told_and_no_secret_is_in_any_text, throttling_without_a_status_puts_off_and_is_no_refusal,
    what_holds_no_credentials_is_refused_without_telling_it,
};
pub use self::walk::{End, Walk, walk};
use crate::in_process::{ORIGIN, Unmetered};

/// A carrier's simulator with something in it. Everything runs on tokio's paused clock.
pub trait Fixture: Send + Sync + 'static {
    /// A fresh one: lines that can be changed, and two plans at least.
    fn new() -> Self;

    /// The carrier.
    fn kind(&self) -> &'static dyn CarrierKind;

    /// The clock that the simulator goes by.
    fn clock(&self) -> Arc<dyn Clock>;

    /// The way to the simulator.
    fn transport(&self) -> Arc<dyn Transport>;

    /// What the base address has after the host: `/v1`.
    fn base_path(&self) -> &'static str;

    /// Credentials that work, as JSON.
    fn credentials(&self) -> &'static str;

    /// What of the credentials is in no text ever.
    fn secrets(&self) -> &'static [&'static str];

    /// All lines that the carrier has, active and changeable the first of them; more than a page of its list.
    fn lines(&self) -> Vec<LineRef>;

    /// A line that it does not have.
    fn unknown_line(&self) -> LineRef;

    /// A plan that the first lines are not on, by its code.
    fn other_plan(&self) -> &'static str;

    /// A plan that it does not have, by a code of its form.
    fn unknown_plan(&self) -> &'static str;

    /// A status that the first lines can be moved to.
    fn other_status(&self) -> &'static str;

    /// Makes the carrier refuse to move a line to a status, and says which to which.
    fn refused_status(&self) -> (LineRef, &'static str);

    /// How a line stands by the ledger: status, plan and packages at least.
    fn stands(&self, line: &LineRef) -> Option<CarrierLine>;

    /// How much there is twice by the ledger.
    fn duplicates(&self) -> usize;

    /// The next call meets this fault; several are met one after the other.
    fn meet_next(&self, fault: Fault);

    /// The next call that changes something meets this fault.
    fn meet_next_change(&self, fault: Fault);

    /// The next call that changes something is throttled, and no HTTP status says so.
    fn throttle_next_change(&self);

    /// Every call is refused for its credentials from now on.
    fn refuse_credentials(&self);

    /// What was called.
    fn traffic(&self) -> Traffic;

    /// The callbacks that came since, as bodies. Only carriers that call back have any.
    fn take_callbacks(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// What a callback must carry, as JSON. Only carriers that call back need it.
    fn callback_credentials(&self) -> &'static str {
        "{}"
    }
}

/// An account at the fixture, by its own credentials and its carrier's stated limits.
pub fn connected(fixture: &impl Fixture) -> Arc<dyn Carrier> {
    let stated = fixture.kind().abilities().limits;
    let limits = AccountLimits {
        concurrency: stated.concurrency,
        calls_a_minute: stated.calls_a_minute.unwrap_or(u32::MAX),
        calls_a_day: stated.calls_a_day.unwrap_or(u32::MAX),
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(30),
        attempts: 5,
        patience: Duration::from_secs(120),
        place_lease: Duration::from_secs(30),
    };
    let key = AccountKey { tenant_id: TenantId(1), integration_authentication_id: IntegrationAuthenticationId(2) };
    let account = Account::new(key, "carrier", limits, fixture.clock(), Arc::new(Unmetered), fixture.transport(), 7);
    let base_address = format!("{ORIGIN}{}", fixture.base_path());
    fixture
        .kind()
        .connect(account, &base_address, &SecretString::from(fixture.credentials()))
        .expect("the fixture's credentials are whole")
}

/// Another plan, now.
fn to_plan(code: &str) -> CarrierChange {
    CarrierChange::RatePlan { rate_plan: Some(code.to_owned()), comm_plan: None, effective_at: None }
}

/// Another status.
fn to_status(status: &str) -> CarrierChange {
    CarrierChange::Status { status: status.to_owned(), reason_code: None }
}

/// That nothing of what was sent was wrong, and no text of it tells a secret.
fn assert_kept(fixture: &impl Fixture, texts: &[String]) {
    let traffic = fixture.traffic();
    assert_eq!(traffic.wrong_requests, 0, "{:?}", traffic.wrong_texts);
    for text in texts {
        for secret in fixture.secrets() {
            assert!(!text.contains(secret), "a secret stands in {text:?}");
        }
    }
}

/// The whole list, for one fixture.
#[macro_export]
macro_rules! carrier_contract {
    ($fixture:ty) => {
        $crate::carrier_contract! { @list $fixture,
            abilities_are_coherent
            a_callback_is_read_only_with_its_credentials
            a_line_comes_to_another_plan
            a_line_comes_to_another_status
            what_stands_is_no_harm_to_ask_for
            a_batch_tells_of_each_line
            what_worked_unheard_is_settled_by_reading_and_not_done_twice
            what_did_not_work_is_sent_again
            what_works_late_is_not_done_twice
            an_error_inside_a_success_is_no_success
            a_line_is_read_as_it_stands
            a_read_gets_through_what_passes
            lists_go_to_the_end
            the_catalogue_has_the_plans
            a_refused_status_leaves_the_line_as_it_is
            an_unknown_line_is_told
            an_unknown_plan_is_refused
            refused_credentials_are_told_and_no_secret_is_in_any_text
            throttling_without_a_status_puts_off_and_is_no_refusal
            what_holds_no_credentials_is_refused_without_telling_it
        }
    };
    (@list $fixture:ty, $($name:ident)*) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $name() {
                $crate::carrier_contract::$name::<$fixture>().await;
            }
        )*
    };
}
