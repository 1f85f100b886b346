//! Services: found before they are created (B7.2), and read back (B7.3).

use chrono::NaiveDate;
use lineshift_domain::ids::{RevCustomerId, RevServiceId};

use super::RevioBilling;
use super::answers::{list_all, list_page, read_changed, read_created, read_one};
use super::wire::{CreateService, Service};
use crate::billing::{Batch, MOST_NUMBERS, NewService, ServiceRecord};
use crate::http::{Effect, Permit};
use crate::json::body_of;
use crate::{CallError, Called, Exchange};

impl RevioBilling {
    pub(super) async fn find_services_of(&self, customer: RevCustomerId, numbers: &[String]) -> Called<Vec<ServiceRecord>> {
        let customer_id = customer.to_string();
        let mut exchange = Exchange::default();
        let at_once = match self.repeated_number(&customer_id, numbers.len(), &mut exchange).await {
            Ok(Repeated::MeansOr) => MOST_NUMBERS,
            Ok(Repeated::DoesNot) => 1,
            Ok(Repeated::NotNeeded(all)) => {
                let found = all.into_iter().filter(|service| is_asked_for(service, customer, numbers)).collect();
                return Called { result: Ok(found), exchange };
            }
            Err(error) => return Called { result: Err(error), exchange },
        };
        let mut found: Vec<ServiceRecord> = Vec::new();
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

    /// What a repeated filter `number` means to this account: as the open points say, as it was found out, or as is found out now by
    /// asking for two services that are there. A customer whose services are one page needs no filter.
    async fn repeated_number(&self, customer: &str, numbers: usize, exchange: &mut Exchange) -> Result<Repeated, CallError> {
        if let Some(means_or) = self.open_points.repeated_number_means_or().or_else(|| self.repeated_number.get().copied()) {
            return Ok(if means_or { Repeated::MeansOr } else { Repeated::DoesNot });
        }
        if numbers < 2 {
            return Ok(Repeated::DoesNot);
        }
        let of_customer = [("customer_id", customer)];
        let listed = list_page::<Service, _>(&self.endpoint, "/Services", &of_customer, 1, ServiceRecord::from).await;
        *exchange = std::mem::take(exchange).followed_by(&listed.exchange);
        let listed = listed.result?;
        if !listed.has_more {
            return Ok(Repeated::NotNeeded(listed.records));
        }
        let Some((one, other)) = two_numbers(&listed.records) else { return Ok(Repeated::DoesNot) };
        let both = [("customer_id", customer), ("number", one), ("number", other)];
        let answered = list_all::<Service, _>(&self.endpoint, "/Services", &both, ServiceRecord::from).await;
        *exchange = std::mem::take(exchange).followed_by(&answered.exchange);
        let answered = answered.result?;
        let is_there = |number: &str| answered.iter().any(|service| service.number.as_deref() == Some(number));
        let means_or = *self.repeated_number.get_or_init(|| is_there(one) && is_there(other));
        Ok(if means_or { Repeated::MeansOr } else { Repeated::DoesNot })
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

/// How many numbers may be asked for at once.
enum Repeated {
    MeansOr,
    DoesNot,
    /// These are all of the customer's services.
    NotNeeded(Vec<ServiceRecord>),
}

/// Two numbers of which none is a part of the other: a filter that matches in part must not answer for both.
fn two_numbers(services: &[ServiceRecord]) -> Option<(&str, &str)> {
    let mut numbers = services.iter().filter_map(|service| service.number.as_deref()).filter(|number| !number.is_empty());
    let first = numbers.next()?;
    let other = numbers.find(|number| !number.contains(first) && !first.contains(number))?;
    Some((first, other))
}

/// Whether a service is the customer's, not disconnected, and known by one of these numbers: whether Rev.io's filter matches
/// exactly is not public, so that it is compared here.
fn is_asked_for(service: &ServiceRecord, customer: RevCustomerId, numbers: &[String]) -> bool {
    let known_by = [service.number.as_ref(), service.number2.as_ref()];
    let matches = known_by.into_iter().flatten().any(|number| numbers.contains(number));
    matches && service.customer_id == customer && service.disconnected_date.is_none()
}
