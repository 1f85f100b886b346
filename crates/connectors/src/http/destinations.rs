//! Which addresses may be called: users name them, and must not reach through this server what they cannot reach themselves.
//!
//! What counts is the address that a connection goes to, not the name that stands for it: a name may stand for another address
//! at every look. So literal addresses are checked before a request, and names by the resolver of the connection itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// The addresses that the calls of an account may go to. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Destinations {
    listed: Arc<[IpNet]>,
    local: bool,
}

/// An address that must not be called; says why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{ip} is {what}, and is not called: {to_do}")]
pub struct ForbiddenAddress {
    ip: IpAddr,
    what: &'static str,
    to_do: &'static str,
}

/// What an administrator may do; who names the address, perhaps, cannot.
const LIST_IT: &str = "an administrator may list its network as outbound.allowed_networks";
const MARK_OR_LIST: &str = "mark the account as local, or have an administrator list its network as outbound.allowed_networks";
const NOT_LOCAL: &str = "an account that is marked as local calls this machine only, or networks that an administrator listed as \
     outbound.allowed_networks; take the mark away";

impl Destinations {
    /// All public addresses, and the networks that an administrator listed.
    #[must_use]
    pub fn public(listed: &[IpNet]) -> Self {
        Self { listed: listed.into(), local: false }
    }

    /// Every address: for what whoever runs the server names in its configuration.
    #[must_use]
    pub fn every() -> Self {
        // The network of all addresses, in both families.
        Self::public(&[Ipv4Net::default().into(), Ipv6Net::default().into()])
    }

    /// The same for an account that is marked as local or not (B7.5). A local one may be called without TLS, so it reaches this
    /// machine and what is listed, and nothing beyond.
    #[must_use]
    pub fn of_account(&self, is_local: bool) -> Self {
        Self { listed: Arc::clone(&self.listed), local: is_local }
    }

    /// Whether calls may go without TLS.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        self.local
    }

    /// Whether that address may be called.
    ///
    /// # Errors
    /// [`ForbiddenAddress`].
    pub fn check(&self, ip: IpAddr) -> Result<(), ForbiddenAddress> {
        let ip = ip.to_canonical();
        if self.listed.iter().any(|network| network.contains(&ip)) || (self.local && ip.is_loopback()) {
            return Ok(());
        }
        let forbidden = |what, to_do| Err(ForbiddenAddress { ip, what, to_do });
        match special(ip) {
            Some(what) if ip.is_loopback() => forbidden(what, MARK_OR_LIST),
            Some(what) => forbidden(what, LIST_IT),
            None if self.local => forbidden("on another machine", NOT_LOCAL),
            None => Ok(()),
        }
    }

    /// Whether a URL may be called, as far as that can be seen before its host's name is resolved: a literal address, however it
    /// is written. What is no URL passes; whoever calls it says so.
    ///
    /// # Errors
    /// [`ForbiddenAddress`].
    pub fn check_url(&self, url: &str) -> Result<(), ForbiddenAddress> {
        match Url::parse(url).ok().as_ref().and_then(Url::host) {
            Some(Host::Ipv4(ip)) => self.check(ip.into()),
            Some(Host::Ipv6(ip)) => self.check(ip.into()),
            Some(Host::Domain(_)) | None => Ok(()),
        }
    }
}

/// What makes an address none of the public internet; none: it is one. By IANA's registries of special-purpose addresses, as of
/// 2025. What carries an IPv4 address within counts as that one.
fn special(ip: IpAddr) -> Option<&'static str> {
    match ip.to_canonical() {
        IpAddr::V4(ip) => special_v4(ip),
        IpAddr::V6(ip) => special_v6(ip),
    }
}

fn special_v4(ip: Ipv4Addr) -> Option<&'static str> {
    match ip.octets() {
        [0, ..] => Some("an unspecified address"),
        [127, ..] => Some("a loopback address"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some("a private address"),
        [100, 64..=127, ..] => Some("an address shared behind a provider"),
        [169, 254, ..] => Some("a link-local address"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Some("an address for documentation"),
        [192, 0, 0, _] | [192, 88, 99, _] | [198, 18..=19, ..] | [240..=255, ..] => Some("a reserved address"),
        [224..=239, ..] => Some("a multicast address"),
        _ => None,
    }
}

fn special_v6(ip: Ipv6Addr) -> Option<&'static str> {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("an unspecified address"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("a loopback address"),
        // NAT64 and 6to4.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => special_v4(joined(high, low)),
        [0xfc00..=0xfdff, ..] => Some("a private address"),
        [0xfe80..=0xfebf, ..] => Some("a link-local address"),
        [0xff00..=0xffff, ..] => Some("a multicast address"),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => Some("an address for documentation"),
        // Teredo, benchmarks, identifiers that are no addresses.
        [0x2001, 0..=0x01ff, ..] => Some("a reserved address"),
        [0x2000..=0x3fff, ..] => None,
        _ => Some("a reserved address"),
    }
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(destinations: &Destinations, ip: &str) -> String {
        destinations.check(ip.parse().expect(ip)).map_or_else(|error| error.what.to_owned(), |()| "called".to_owned())
    }

    #[test]
    fn every_kind_of_address_is_told_apart() {
        let public = Destinations::default();
        for (what, addresses) in [
            (
                "called",
                "1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 \
                 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0 198.17.255.255 \
                 198.20.0.0 223.255.255.255 2606:4700::1111 2001:200:: 2a00:: 3ffe:: ::ffff:1.1.1.1 64:ff9b::1.1.1.1 \
                 2002:101:101::",
            ),
            ("an unspecified address", "0.0.0.0 0.1.2.3 :: ::ffff:0.0.0.0 64:ff9b:: 2002::1"),
            ("a loopback address", "127.0.0.1 127.255.255.255 ::1 ::ffff:127.0.0.1 64:ff9b::127.0.0.1 2002:7f00:1::"),
            (
                "a private address",
                "10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255 fc00:: fdff::1 \
                 ::ffff:10.0.0.1 64:ff9b::c0a8:1 2002:a00:1:: 2002:c0a8:101::5",
            ),
            ("an address shared behind a provider", "100.64.0.0 100.127.255.255 ::ffff:100.64.0.1"),
            ("a link-local address", "169.254.169.254 fe80::1 febf:: ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe"),
            ("a multicast address", "224.0.0.1 239.255.255.255 ff02::1"),
            ("an address for documentation", "192.0.2.1 198.51.100.7 203.0.113.255 2001:db8::1 3fff:: 3fff:fff::"),
            (
                "a reserved address",
                "192.0.0.8 192.88.99.1 198.18.0.1 198.19.255.255 240.0.0.1 255.255.255.255 2001::1 2001:1ff:: \
                 64:ff9b:1::1 100::1 ::7f00:1 ::ffff:0:127.0.0.1 4000:: fec0::1 5f00::1",
            ),
        ] {
            for ip in addresses.split_whitespace() {
                assert_eq!(said(&public, ip), what, "{ip}");
            }
        }
    }

    #[test]
    fn what_is_listed_is_called_and_a_local_account_calls_this_machine_only() {
        let listed = Destinations::public(&["10.7.0.0/16", "fd00:7::/32"].map(|network| network.parse().expect("a network")));
        for ip in ["10.7.1.2", "::ffff:10.7.1.2", "fd00:7::1", "1.1.1.1"] {
            assert_eq!(said(&listed, ip), "called", "{ip}");
        }
        for ip in ["10.8.0.1", "127.0.0.1", "fd00:8::1"] {
            assert_ne!(said(&listed, ip), "called", "{ip}");
        }
        let local = listed.of_account(true);
        for ip in ["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1", "10.7.1.2"] {
            assert_eq!(said(&local, ip), "called", "{ip}");
        }
        for ip in ["10.8.0.1", "169.254.169.254", "0.0.0.0", "::", "1.1.1.1", "2606:4700::1111"] {
            assert_ne!(said(&local, ip), "called", "{ip}");
        }
    }

    #[test]
    fn what_the_operator_names_may_be_anywhere() {
        for ip in ["10.7.1.2", "127.0.0.1", "::1", "fd00::1", "169.254.169.254", "::ffff:10.0.0.1", "1.1.1.1", "2606:4700::1111"]
        {
            assert_eq!(said(&Destinations::every(), ip), "called", "{ip}");
        }
    }

    #[test]
    fn a_literal_address_is_seen_however_it_is_written() {
        let public = Destinations::default();
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "0x7f000001",
            "017700000001",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "127.0.0.1.",
            "１２７.０.０.１",
            "10.0.0.1:8443",
            "169.254.169.254",
        ] {
            assert!(public.check_url(&format!("https://{host}/v1")).is_err(), "{host}");
        }
        for url in ["https://restapi.rev.io/v1", "https://1.1.1.1", "https://[2606:4700::1111]:443/v1", "no address"] {
            assert_eq!(public.check_url(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn what_to_do_is_said() {
        let error = |destinations: &Destinations, ip: &str| destinations.check(ip.parse().expect(ip)).expect_err(ip).to_string();
        let public = Destinations::default();
        assert_eq!(
            error(&public, "10.0.0.1"),
            "10.0.0.1 is a private address, and is not called: an administrator may list its network as outbound.allowed_networks"
        );
        assert!(error(&public, "127.0.0.1").contains("mark the account as local"));
        assert!(error(&public.of_account(true), "1.1.1.1").contains("take the mark away"));
    }
}
