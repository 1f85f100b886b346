//! Turns at what takes much of the machine: so many at once, and of those so many of one tenant, so that others have some, too.

use std::time::Duration;

use axum::http::StatusCode;
use lineshift_domain::ids::TenantId;

use crate::problem::ApiProblem;
use crate::shares::{Place, Shares};

/// How long one waits for a turn.
const WAIT: Duration = Duration::from_secs(10);

/// A turn, until it is dropped.
pub(crate) type Turn = Place<TenantId>;

/// The turns at one kind of things. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Turns {
    shares: Shares<TenantId>,
    things: &'static str,
    at_once: usize,
    of_a_tenant: usize,
    wait: Duration,
}

impl Turns {
    /// At reading these things: so many at once, and so many of a tenant.
    pub(crate) fn at(things: &'static str, at_once: usize, of_a_tenant: usize) -> Self {
        Self { shares: Shares::new(at_once, of_a_tenant), things, at_once, of_a_tenant, wait: WAIT }
    }

    /// Waits for a turn. Errors: 429.
    pub(crate) async fn take(&self, tenant: TenantId) -> Result<Turn, ApiProblem> {
        tokio::time::timeout(self.wait, self.shares.take(&tenant)).await.map_err(|_| {
            let Self { things, at_once, of_a_tenant, .. } = self;
            let detail = format!(
                "{of_a_tenant} {things} of this tenant, or {at_once} of all, are being read already; send this one again later"
            );
            ApiProblem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(10)
        })
    }

    /// The same for those who wait for nothing.
    #[cfg(test)]
    pub(crate) fn impatient(self) -> Self {
        Self { wait: Duration::ZERO, ..self }
    }

    /// Whether a tenant would have to wait.
    #[cfg(test)]
    pub(crate) fn all_taken_for(&self, tenant: TenantId) -> bool {
        self.shares.try_take(&tenant).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_third_of_a_tenant_and_the_fifth_of_all_are_asked_to_come_again() {
        let turns = Turns::at("long texts", 4, 2);
        let turn = async |tenant| turns.take(TenantId(tenant)).await;
        let refused = |turn: Result<Turn, ApiProblem>| turn.err().map(|problem| problem.view());
        let mut held = vec![turn(1).await.expect("a turn"), turn(1).await.expect("a turn")];
        let answer = refused(turn(1).await).expect("there is no turn");
        assert_eq!(answer.status, 429);
        let told = "2 long texts of this tenant, or 4 of all, are being read already; send this one again later";
        assert_eq!(answer.detail, told);
        held.extend([turn(2).await.expect("another tenant's turn"), turn(2).await.expect("another tenant's turn")]);
        assert_eq!(refused(turn(3).await).map(|answer| answer.status), Some(429), "there are four altogether");
        held.remove(0);
        assert!(turn(3).await.is_ok(), "a turn was freed");
    }
}
