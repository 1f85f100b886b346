//! Rate plans.

use super::pages::List;
use super::wire::Plan;
use super::{JasperClient, RatePlan};
use crate::Called;
use crate::batch::all_pages;

impl JasperClient {
    pub(super) async fn rate_plans(&self) -> Called<Vec<RatePlan>> {
        let list = &List { path: "/rateplans", records: "ratePlans", has_marked_pages: false };
        all_pages(|_, pages| self.page::<Plan, _>(list, pages + 1)).await
    }
}
