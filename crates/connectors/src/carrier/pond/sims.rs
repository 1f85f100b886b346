//! SIMs: read, listed, their services set.

use super::wire::{SetServices, Sim};
use super::{PondClient, PondServices, PondSim};
use crate::carrier::IccId;
use crate::http::{Answer, Effect, Permit};
use crate::json::{self, body_of};
use crate::{Batch, Called};

impl PondClient {
    pub(super) async fn sim(&self, iccid: &IccId) -> Called<Option<PondSim>> {
        let read = |answer: &Answer| {
            let sim = PondSim::from(json::read::<Sim>(answer)?);
            same(iccid, &sim.iccid).map(|()| sim)
        };
        self.endpoint.read(&format!("/sim/{iccid}"), read).await.or_not_found()
    }

    pub(super) async fn post_services(&self, permit: Permit, iccid: &IccId, services: PondServices) -> Called<()> {
        let body = body_of(&SetServices::from(services));
        let effect = Effect { method: "POST", path: format!("/sim/{iccid}/status"), body };
        self.endpoint.send(permit, effect, read_done).await
    }

    pub(super) async fn sims_page(&self, offset: usize) -> Called<Batch<PondSim>> {
        self.page(self.open_points.sims_path(), offset, |sim: Sim| Ok(PondSim::from(sim))).await
    }
}

/// That something was set: 204 and nothing else.
pub(super) fn read_done(answer: &Answer) -> Result<(), String> {
    if answer.status == 204 { Ok(()) } else { Err("done is 204".to_owned()) }
}

/// That an answer is about the SIM that was asked for.
pub(super) fn same(asked: &IccId, answered: &IccId) -> Result<(), String> {
    if asked == answered { Ok(()) } else { Err(format!("asked for {asked}, it answers {answered}")) }
}
