//! Whose lines a principal sees and may order: all of the tenant's, or those of certain customers, sites or service providers.

use std::collections::BTreeSet;

use crate::ids::{RevCustomerId, ServiceProviderId, SiteId};
use crate::terms::UnknownTerm;

/// How many customers, sites and service providers together may be named.
pub const MOST_NAMED: usize = 500;

/// How far a principal reaches, stored and given as `*` (everything of the tenant) or as a list such as
/// `customer:5 site:7 service_provider:2`; an empty text reaches nothing.
///
/// A line is reached when its service provider is named, or none is; and its customer or its site is named, or neither kind is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Everything of the tenant.
    Everything,
    /// Only what is named.
    Named(Named),
}

/// What a limited principal reaches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Named {
    /// Customers.
    pub customers: BTreeSet<RevCustomerId>,
    /// Sites.
    pub sites: BTreeSet<SiteId>,
    /// Service providers.
    pub service_providers: BTreeSet<ServiceProviderId>,
}

impl Named {
    fn count(&self) -> usize {
        self.customers.len() + self.sites.len() + self.service_providers.len()
    }

    /// Whether customers or sites are named, so that a line must be assigned to one of them.
    #[must_use]
    pub fn names_assignments(&self) -> bool {
        !self.customers.is_empty() || !self.sites.is_empty()
    }

    fn reaches_provider(&self, provider: ServiceProviderId) -> bool {
        self.service_providers.contains(&provider) || (self.service_providers.is_empty() && self.names_assignments())
    }

    fn reaches_assignment(&self, customer: Option<RevCustomerId>, site: Option<SiteId>) -> bool {
        let named = customer.is_some_and(|id| self.customers.contains(&id)) || site.is_some_and(|id| self.sites.contains(&id));
        named || (!self.names_assignments() && !self.service_providers.is_empty())
    }
}

impl Reach {
    /// Nothing at all.
    #[must_use]
    pub fn nothing() -> Self {
        Self::Named(Named::default())
    }

    /// Whether nothing is kept from it.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        matches!(self, Self::Everything)
    }

    /// Whether lines of that service provider may be among those reached.
    #[must_use]
    pub fn reaches_provider(&self, provider: ServiceProviderId) -> bool {
        match self {
            Self::Everything => true,
            Self::Named(named) => named.reaches_provider(provider),
        }
    }

    /// Whether lines may be assigned to that customer.
    #[must_use]
    pub fn reaches_customer(&self, customer: RevCustomerId) -> bool {
        match self {
            Self::Everything => true,
            Self::Named(named) => named.reaches_assignment(Some(customer), None),
        }
    }

    /// Whether lines may be booked at that site, which is its customer's if it has one.
    #[must_use]
    pub fn reaches_site(&self, site: SiteId, customer: Option<RevCustomerId>) -> bool {
        match self {
            Self::Everything => true,
            Self::Named(named) => named.reaches_assignment(customer, Some(site)),
        }
    }

    /// Whether lines so assigned may be among those reached.
    #[must_use]
    pub fn reaches_assignment(&self, customer: Option<RevCustomerId>, site: Option<SiteId>) -> bool {
        match self {
            Self::Everything => true,
            Self::Named(named) => named.reaches_assignment(customer, site),
        }
    }

    /// Whether a line as it stands is reached.
    #[must_use]
    pub fn reaches_line(&self, provider: ServiceProviderId, customer: Option<RevCustomerId>, site: Option<SiteId>) -> bool {
        match self {
            Self::Everything => true,
            Self::Named(named) => named.reaches_provider(provider) && named.reaches_assignment(customer, site),
        }
    }

    /// Whether all that the other reaches is reached: nobody gives away more than they have.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Everything, _) => true,
            (Self::Named(_), Self::Everything) => false,
            (Self::Named(have), Self::Named(give)) => {
                let providers = have.service_providers.is_empty()
                    || (!give.service_providers.is_empty() && give.service_providers.is_subset(&have.service_providers));
                let assignments = !have.names_assignments()
                    || (give.names_assignments()
                        && give.customers.is_subset(&have.customers)
                        && give.sites.is_subset(&have.sites));
                give.count() == 0 || (have.count() > 0 && providers && assignments)
            }
        }
    }
}

impl std::str::FromStr for Reach {
    type Err = UnknownTerm;

    fn from_str(text: &str) -> Result<Self, UnknownTerm> {
        if text.trim() == "*" {
            return Ok(Self::Everything);
        }
        let unknown = |word: &str| UnknownTerm { kind: "reach", found: word.to_owned() };
        let mut named = Named::default();
        for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
            let (kind, id) = word.split_once(':').ok_or_else(|| unknown(word))?;
            let id: i64 = id.parse().ok().filter(|id| *id > 0).ok_or_else(|| unknown(word))?;
            match kind {
                "customer" => named.customers.insert(RevCustomerId(id)),
                "site" => named.sites.insert(SiteId(id)),
                "service_provider" => named.service_providers.insert(ServiceProviderId(id)),
                _ => return Err(unknown(word)),
            };
            if named.count() > MOST_NAMED {
                return Err(unknown(&format!("more than {MOST_NAMED} entries")));
            }
        }
        Ok(Self::Named(named))
    }
}

impl std::fmt::Display for Reach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::Named(named) = self else { return f.write_str("*") };
        let customers = named.customers.iter().map(|id| ("customer", id.0));
        let sites = named.sites.iter().map(|id| ("site", id.0));
        let providers = named.service_providers.iter().map(|id| ("service_provider", id.0));
        for (nth, (kind, id)) in customers.chain(sites).chain(providers).enumerate() {
            write!(f, "{}{kind}:{id}", if nth == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(text: &str) -> Reach {
        text.parse().expect("a reach")
    }

    fn reaches(text: &str, provider: i64, customer: i64, site: i64) -> bool {
        let some = |id: i64| (id > 0).then_some(id);
        reach(text).reaches_line(ServiceProviderId(provider), some(customer).map(RevCustomerId), some(site).map(SiteId))
    }

    #[test]
    fn a_line_is_reached_by_provider_and_by_customer_or_site() {
        assert!(reaches("*", 1, 0, 0));
        assert!(!reaches("", 1, 5, 7));
        assert!(reaches("customer:5", 1, 5, 0) && reaches("customer:5", 2, 5, 9));
        assert!(!reaches("customer:5", 1, 6, 7) && !reaches("customer:5", 1, 0, 0));
        assert!(reaches("customer:5 site:7", 1, 6, 7));
        assert!(reaches("service_provider:2", 2, 0, 0) && !reaches("service_provider:2", 1, 0, 0));
        assert!(reaches("service_provider:2 customer:5", 2, 5, 0));
        assert!(!reaches("service_provider:2 customer:5", 1, 5, 0) && !reaches("service_provider:2 customer:5", 2, 6, 0));
    }

    #[test]
    fn what_orders_name_is_reached_likewise() {
        let limited = reach("customer:5 site:7");
        assert!(limited.reaches_customer(RevCustomerId(5)) && !limited.reaches_customer(RevCustomerId(6)));
        assert!(limited.reaches_site(SiteId(7), None) && limited.reaches_site(SiteId(8), Some(RevCustomerId(5))));
        assert!(!limited.reaches_site(SiteId(8), Some(RevCustomerId(6))));
        assert!(limited.reaches_provider(ServiceProviderId(1)));
        assert!(!Reach::nothing().reaches_provider(ServiceProviderId(1)));
        assert!(reach("service_provider:1").reaches_customer(RevCustomerId(6)));
    }

    #[test]
    fn nobody_gives_away_more_than_they_have() {
        assert!(Reach::Everything.covers(&Reach::Everything) && Reach::Everything.covers(&reach("customer:5")));
        assert!(!reach("customer:5").covers(&Reach::Everything));
        assert!(reach("customer:5 customer:6").covers(&reach("customer:6")));
        assert!(!reach("customer:5").covers(&reach("customer:6")) && !reach("customer:5").covers(&reach("service_provider:1")));
        assert!(reach("service_provider:1").covers(&reach("service_provider:1 customer:5")));
        assert!(!reach("service_provider:1").covers(&reach("customer:5")));
        assert!(reach("customer:5").covers(&Reach::nothing()) && Reach::nothing().covers(&Reach::nothing()));
        assert!(!Reach::nothing().covers(&reach("customer:5")));
    }

    #[test]
    fn the_text_is_read_back_and_bounded() {
        for text in ["*", "", "customer:5 site:7 service_provider:2"] {
            assert_eq!(reach(text).to_string(), text);
        }
        for wrong in ["customer", "customer:0", "customer:x", "tenant:1", "customer:5 *"] {
            assert!(wrong.parse::<Reach>().is_err(), "{wrong}");
        }
        let many: String = (1..=MOST_NAMED).map(|id| format!("site:{id} ")).collect();
        assert!(many.parse::<Reach>().is_ok());
        assert!(format!("{many} site:{}", MOST_NAMED + 1).parse::<Reach>().is_err());
    }
}
