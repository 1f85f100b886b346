//! Connections of one address: so many at a time. One more, and the one that has been idle for longest makes room; where all are busy,
//! there is none.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use ipnet::IpNet;
use tokio::sync::oneshot;

use crate::client_address::network_of;

/// The connections of all addresses. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Crowds {
    most: usize,
    /// Whose connections are those of many clients.
    proxies: Arc<[IpNet]>,
    open: Arc<Mutex<HashMap<IpAddr, Crowd>>>,
}

/// The connections of one address.
#[derive(Debug, Default)]
struct Crowd {
    next: u64,
    /// By the number under which each stands.
    members: BTreeMap<u64, Standing>,
}

#[derive(Debug)]
struct Standing {
    /// Since when nothing is answered on it, counted as connections become idle; none: something is.
    idle_since: Option<u64>,
    go: oneshot::Sender<()>,
}

/// One connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Member(Option<Arc<Place>>);

/// Where it stands; none for those of proxies.
#[derive(Debug)]
struct Place {
    of: Crowds,
    address: IpAddr,
    number: u64,
}

/// Tells a connection that it has to go.
#[derive(Debug)]
pub(super) struct Told(Option<oneshot::Receiver<()>>);

impl Crowds {
    /// At most so many for an address, at least one; as many as come from a proxy.
    pub(super) fn new(most: usize, proxies: &[IpNet]) -> Self {
        Self { most: most.max(1), proxies: proxies.into(), open: Arc::default() }
    }

    /// Takes one in, idle; none: all connections of that address are busy.
    pub(super) fn enter(&self, ip: IpAddr) -> Option<(Member, Told)> {
        let ip = ip.to_canonical();
        if self.proxies.iter().any(|network| network.contains(&ip)) {
            return Some((Member(None), Told(None)));
        }
        let address = network_of(ip);
        let mut open = self.lock();
        let crowd = open.entry(address).or_default();
        while crowd.members.len() >= self.most {
            let idle = crowd.members.iter().filter_map(|(number, standing)| Some((standing.idle_since?, *number)));
            let longest = crowd.members.remove(&idle.min()?.1)?;
            // An error only says that it has gone by itself.
            let _ = longest.go.send(());
        }
        let number = crowd.next;
        crowd.next += 1;
        let (go, told) = oneshot::channel();
        crowd.members.insert(number, Standing { idle_since: Some(number), go });
        drop(open);
        Some((Member(Some(Arc::new(Place { of: self.clone(), address, number }))), Told(Some(told))))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Crowd>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member {
    /// A request has come: the connection is busy until what is answered here is dropped.
    pub(super) fn is_busy(&self) -> Busy {
        if let Some(place) = &self.0 {
            place.set_idle(false);
        }
        Busy(self.0.clone())
    }
}

impl Place {
    fn set_idle(&self, idle: bool) {
        let mut open = self.of.lock();
        let Some(crowd) = open.get_mut(&self.address) else { return };
        let since = crowd.next;
        crowd.next += 1;
        if let Some(standing) = crowd.members.get_mut(&self.number) {
            standing.idle_since = idle.then_some(since);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.of.lock();
        if let Some(crowd) = open.get_mut(&self.address) {
            crowd.members.remove(&self.number);
            if crowd.members.is_empty() {
                open.remove(&self.address);
            }
        }
    }
}

impl Told {
    /// Waits until the connection has to go.
    pub(super) async fn told(&mut self) {
        let is_told = match &mut self.0 {
            Some(told) => told.await.is_ok(),
            None => false,
        };
        if !is_told {
            std::future::pending::<()>().await;
        }
    }
}

/// An answer on its way.
#[derive(Debug)]
pub(super) struct Busy(Option<Arc<Place>>);

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(place) = &self.0 {
            place.set_idle(true);
        }
    }
}

impl Busy {
    /// The same until the whole answer is sent.
    pub(super) fn until_sent(self, response: Response) -> Response {
        response.map(|body| Body::new(Sent { body, _busy: self }))
    }
}

/// The body of an answer.
struct Sent {
    body: Body,
    _busy: Busy,
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn is_told(told: &mut Told) -> bool {
        told.told().now_or_never().is_some()
    }

    #[test]
    fn whoever_was_idle_for_longest_makes_room() {
        let crowds = Crowds::new(2, &[]);
        let enter = |address: &str| crowds.enter(ip(address));
        let (first, mut first_told) = enter("192.0.2.1").expect("room");
        let (_second, mut second_told) = enter("192.0.2.1").expect("room");
        drop(first.is_busy());
        let (_other, _) = enter("192.0.2.2").expect("another address has room of its own");
        let (third, mut third_told) = enter("192.0.2.1").expect("room is made");
        assert!(is_told(&mut second_told) && !is_told(&mut first_told), "the first was used since");
        let busy = (first.is_busy(), third.is_busy());
        assert!(enter("::ffff:192.0.2.1").is_none(), "all are busy");
        drop(busy.1);
        assert!(enter("192.0.2.1").is_some());
        assert!(is_told(&mut third_told) && !is_told(&mut first_told));
    }

    #[test]
    fn whoever_leaves_makes_room_and_is_forgotten() {
        let crowds = Crowds::new(1, &[]);
        for _ in 0..3 {
            let (member, mut told) = crowds.enter(ip("2001:db8:1:2::1")).expect("room");
            let busy = member.is_busy();
            assert!(crowds.enter(ip("2001:db8:1:2::9")).is_none(), "one customer's network is one address");
            drop((member, busy));
            assert!(!is_told(&mut told));
        }
        assert!(crowds.lock().is_empty());
    }

    #[test]
    fn a_proxy_speaks_for_many() {
        let crowds = Crowds::new(1, &["10.0.0.0/8".parse().expect("a network")]);
        let members: Vec<_> = (0..5).filter_map(|_| crowds.enter(ip("10.1.2.3"))).collect();
        assert_eq!(members.len(), 5);
    }
}
