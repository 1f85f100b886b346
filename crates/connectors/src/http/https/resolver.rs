//! Names into addresses, without those that may not be called.

use std::error::Error;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::http::{Destinations, ForbiddenAddress};

/// What the machine knows of a name, as far as it may be called. A connection goes to nothing but what this answers, so that a
/// name that stands for another address a moment later gains nothing by it.
pub(super) struct Resolver(pub(super) Destinations);

/// A name stands for nothing that may be called.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name {name} stands for {forbidden}")]
struct ForbiddenName {
    name: String,
    forbidden: ForbiddenAddress,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let destinations = self.0.clone();
        Box::pin(async move {
            // The port is the request's; zero stands for none.
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let admitted = admitted(&destinations, name.as_str(), found).map_err(Box::<dyn Error + Send + Sync>::from)?;
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}

/// Those that may be called; an error where there is none of them.
fn admitted(destinations: &Destinations, name: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, ForbiddenName> {
    let mut forbidden = None;
    let mut admitted = Vec::new();
    for address in found {
        match destinations.check(address.ip()) {
            Ok(()) => admitted.push(address),
            Err(error) => forbidden = Some(error),
        }
    }
    match forbidden {
        Some(forbidden) if admitted.is_empty() => Err(ForbiddenName { name: name.to_owned(), forbidden }),
        _ => Ok(admitted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(addresses: &[&str]) -> Vec<SocketAddr> {
        addresses.iter().map(|address| SocketAddr::new(address.parse().expect("an address"), 0)).collect()
    }

    #[test]
    fn a_name_that_stands_for_a_private_address_is_refused() {
        for inside in ["10.0.0.1", "169.254.169.254", "::ffff:192.168.1.1", "fd00::1", "127.0.0.1"] {
            let error = admitted(&Destinations::default(), "inside.example", found(&[inside])).expect_err(inside).to_string();
            assert!(error.starts_with("the name inside.example stands for "), "{error}");
            assert!(error.contains("outbound.allowed_networks"), "{error}");
        }
    }

    #[test]
    fn of_several_addresses_only_those_that_may_be_called_are_left() {
        let both = found(&["10.0.0.1", "1.1.1.1", "::1"]);
        assert_eq!(admitted(&Destinations::default(), "x", both), Ok(found(&["1.1.1.1"])));
        assert_eq!(admitted(&Destinations::default(), "x", Vec::new()), Ok(Vec::new()), "who resolves says that there is none");
    }
}
