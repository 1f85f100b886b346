//! Who is at the other end: the client's address, also behind proxies that are trusted to say it.
//!
//! Anybody may send `X-Forwarded-For` and `X-Forwarded-Proto`: they count only where the connection comes from a proxy that the
//! settings name. `Forwarded` is not read; proxies that send both might let the client's own through.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;

use crate::serve::Peer;

/// What proxies add the address to that they were called from.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Over what proxies were called: `http` or `https`.
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// What proxies add to requests that they hand on.
const HANDED_ON: [&str; 5] = [FORWARDED_FOR, FORWARDED_PROTO, "forwarded", "x-real-ip", "via"];

/// The client of a request, as far as can be known. Stands in the request's extensions, and is an extractor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientAddress {
    /// The address of the client, or of the last proxy that nobody vouches for. An IPv4 address is never written as an IPv6 one.
    pub(crate) ip: IpAddr,
    /// Whether the client speaks TLS, with this server or with a trusted proxy.
    pub(crate) secure: bool,
}

impl ClientAddress {
    /// Where nothing is known: a router that nobody serves, as in tests.
    const NOWHERE: Self = Self { ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED), secure: false };

    /// The client of a request with those extensions.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or(Self::NOWHERE)
    }
}

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}

/// The networks whose word is taken for who the client is.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    pub(crate) fn new(networks: &[IpNet]) -> Self {
        Self(networks.into())
    }

    fn trust(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&ip))
    }

    /// The client of a request that came from `peer` with these headers.
    fn client(&self, peer: Peer, headers: &HeaderMap) -> ClientAddress {
        let ip = peer.ip.to_canonical();
        if !self.trust(ip) {
            return ClientAddress { ip, secure: peer.tls };
        }
        let secure = last_of(headers, FORWARDED_PROTO).map_or(peer.tls, |proto| proto.eq_ignore_ascii_case("https"));
        ClientAddress { ip: self.forwarded(headers).unwrap_or(ip), secure }
    }

    /// The rightmost address that is no trusted proxy's: what stands left of it, whoever is there may have made up. Where all are
    /// proxies, the leftmost; what cannot be read ends the search.
    fn forwarded(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let mut found = None;
        for part in parts(headers, FORWARDED_FOR) {
            let Some(ip) = read_ip(part) else { return found };
            found = Some(ip);
            if !self.trust(ip) {
                return found;
            }
        }
        found
    }
}

/// The parts of a list in a header, however many lines it has, the last one first.
fn parts<'h>(headers: &'h HeaderMap, name: &'h str) -> impl Iterator<Item = &'h str> {
    let lines: Vec<&str> = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default()).collect();
    lines.into_iter().rev().flat_map(|line| line.rsplit(',')).map(str::trim)
}

fn last_of<'h>(headers: &'h HeaderMap, name: &'h str) -> Option<&'h str> {
    parts(headers, name).next()
}

/// An address, with or without a port: some proxies add it.
fn read_ip(text: &str) -> Option<IpAddr> {
    let bare = || text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
    let ip = text.parse::<SocketAddr>().map(|address| address.ip()).ok().or_else(bare)?;
    Some(ip.to_canonical())
}

/// What counts as one address: whoever has an IPv6 network has 64 bits of addresses in it.
pub(crate) fn network_of(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
    }
}

/// Whether a request was sent from this machine to this process: on a connection from it, and handed on by no proxy that says so.
pub(crate) fn is_from_this_machine(extensions: &Extensions, headers: &HeaderMap) -> bool {
    let is_near = extensions.get::<Peer>().is_some_and(|peer| peer.ip.to_canonical().is_loopback());
    is_near && !HANDED_ON.iter().any(|name| headers.contains_key(*name))
}

/// Finds out who the client is, for everything further in.
pub(crate) async fn identify(State(proxies): State<TrustedProxies>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    let client = peer.map_or(ClientAddress::NOWHERE, |peer| proxies.client(peer, request.headers()));
    request.extensions_mut().insert(client);
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn client(peer: &str, headers: &[(&'static str, &'static str)]) -> (String, bool) {
        let networks = ["10.0.0.0/8", "2001:db8:1::/48"].map(|network| network.parse().expect("a network"));
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .fold(HeaderMap::new(), |mut map, (name, value)| {
                map.append(name, value);
                map
            });
        let peer = Peer { ip: peer.parse().expect("an address"), tls: false };
        let client = TrustedProxies::new(&networks).client(peer, &headers);
        (client.ip.to_string(), client.secure)
    }

    #[test]
    fn nobody_but_a_trusted_proxy_may_say_who_the_client_is() {
        let spoofed =
            [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "https"), ("forwarded", "for=192.0.2.1;proto=https")];
        for peer in ["203.0.113.9", "::ffff:203.0.113.9", "11.0.0.1"] {
            let (ip, secure) = client(peer, &spoofed);
            assert_eq!((ip.as_str(), secure), (peer.trim_start_matches("::ffff:"), false));
        }
        assert_eq!(client("10.1.2.3", &spoofed), ("192.0.2.1".to_owned(), true));
        assert_eq!(client("::ffff:10.1.2.3", &spoofed), ("192.0.2.1".to_owned(), true));
        assert_eq!(client("2001:db8:1::7", &spoofed), ("192.0.2.1".to_owned(), true));
        assert_eq!(client("10.1.2.3", &spoofed[2..]), ("10.1.2.3".to_owned(), false), "Forwarded is not read");
    }

    #[test]
    fn the_rightmost_address_that_nobody_vouches_for_is_the_client() {
        let of = |forwarded: &'static str| client("10.1.2.3", &[("x-forwarded-for", forwarded)]).0;
        for (forwarded, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("1.1.1.1, 192.0.2.1", "192.0.2.1"),
            ("1.1.1.1,192.0.2.1,10.9.9.9", "192.0.2.1"),
            ("1.1.1.1, 10.0.0.1, 10.9.9.9", "1.1.1.1"),
            ("10.0.0.1, 10.9.9.9", "10.0.0.1"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("2001:db8:2::1", "2001:db8:2::1"),
            ("[2001:db8:2::1]:4711", "2001:db8:2::1"),
            ("[2001:db8:2::1]", "2001:db8:2::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("", "10.1.2.3"),
            ("unknown", "10.1.2.3"),
            ("1.1.1.1, unknown", "10.1.2.3"),
            ("1.1.1.1, unknown, 10.9.9.9", "10.9.9.9"),
        ] {
            assert_eq!(of(forwarded), expected, "{forwarded}");
        }
    }

    #[test]
    fn several_lines_are_one_list() {
        let lines =
            [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "192.0.2.1, 10.9.9.9"), ("x-forwarded-proto", "https, http")];
        assert_eq!(client("10.1.2.3", &lines), ("192.0.2.1".to_owned(), false));
    }

    #[test]
    fn only_what_comes_from_this_machine_itself_is_near() {
        let is_near = |peer: Option<&str>, name: &'static str| {
            let mut extensions = Extensions::new();
            if let Some(peer) = peer {
                extensions.insert(Peer { ip: peer.parse().expect("an address"), tls: false });
            }
            is_from_this_machine(
                &extensions,
                &HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static("1"))]),
            )
        };
        for near in ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"] {
            assert!(is_near(Some(near), "accept"), "{near}");
            assert!(HANDED_ON.iter().all(|header| !is_near(Some(near), header)), "{near}, handed on");
        }
        for far in [Some("192.0.2.1"), Some("10.0.0.1"), Some("fe80::1"), Some("::ffff:192.0.2.1"), None] {
            assert!(!is_near(far, "accept"), "{far:?}");
        }
    }
}
