//! Services: found before they are created (B7.2), and read back (B7.3).

use chrono::NaiveDate;
use lineshift_domain::ids::{RevCustomerId, RevServiceId};

use super::answers::{list_all, list_page, read_changed, read_created, read_one};
use super::wire::{CreateService, Service};
use super::{RevioBilling, body_of};
use crate::billing::{Batch, MOST_NUMBERS, NewService, ServiceRecord};
use crate::http::{Effect, Permit};
use crate::{CallError, Called, Exchange};

impl RevioBilling {
    pub(super) async fn find_services_of(&self, customer: RevCustomerId, numbers: &[String]) -> Called<Vec<ServiceRecord>> {
        let at_once = if self.open_points.repeated_number_means_or() { MOST_NUMBERS } else { 1 };
        let customer_id = customer.to_string();
        let mut found: Vec<ServiceRecord> = Vec::new();
        let mut exchange = Exchange::default();
        for asked in numbers.chunks(at_once) {
            let of_customer = std::iter::once(("customer_id", customer_id.as_str()));
            let filters: Vec<(&str, &str)> = of_customer.chain(asked.iter().map(|number| ("number", number.as_str()))).collect();
            let called = list_all::<Service, _>(&self.endpoint, "/Services", &filters, ServiceRecord::from).await;
            exchange = exchange.followed_by(&called.exchange);
            match called.result {
                Ok(services) => found.extend(services.into_iter().filter(|service| is_asked_for(service, customer, numbers))),
                Err(error) => return Called { result: Err(error), exchange },
            }
        }
        // One that matches two filters, or moved to the next page meanwhile, is one.
        found.sort_by_key(|service| service.id);
        found.dedup_by_key(|service| service.id);
        Called { result: Ok(found), exchange }
    }

    pub(super) async fn find_service_by_id(&self, id: RevServiceId) -> Called<Option<ServiceRecord>> {
        let read = |answer: &_| {
            let service = ServiceRecord::from(read_one::<Service>(answer)?);
            if service.id == id { Ok(service) } else { Err(format!("asked for service {id}, it answers {}", service.id)) }
        };
        self.endpoint.read(&format!("/Services/{id}"), read).await.or_not_found()
    }

    pub(super) async fn post_service(&self, permit: Permit, service: &NewService) -> Called<RevServiceId> {
        let effect = Effect { method: "POST", path: "/Services".to_owned(), body: body_of(&CreateService::from(service)) };
        self.endpoint.send(permit, effect, |answer| read_created(answer).map(RevServiceId)).await
    }

    pub(super) async fn delete_service(&self, permit: Permit, id: RevServiceId, on: NaiveDate) -> Called<()> {
        self.endpoint.send(permit, self.open_points.disconnect_service(id, on), read_changed).await
    }

    pub(super) async fn services_page(&self, page: u32) -> Called<Batch<ServiceRecord>> {
        list_page::<Service, _>(&self.endpoint, "/Services", &[], page, ServiceRecord::from).await
    }
}

/// Whether a service is the customer's, not disconnected, and known by one of these numbers: whether Rev.io's filter matches
/// exactly is not public, so that it is compared here.
fn is_asked_for(service: &ServiceRecord, customer: RevCustomerId, numbers: &[String]) -> bool {
    let known_by = [service.number.as_ref(), service.number2.as_ref()];
    let matches = known_by.into_iter().flatten().any(|number| numbers.contains(number));
    matches && service.customer_id == customer && service.disconnected_date.is_none()
}

impl<T> Called<T> {
    /// A thing that is not there is none.
    fn or_not_found(self) -> Called<Option<T>> {
        let result = match self.result {
            Ok(found) => Ok(Some(found)),
            Err(CallError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        };
        Called { result, exchange: self.exchange }
    }
}
