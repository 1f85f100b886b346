//! What other processes announce: one connection that listens, made anew whenever it is lost.

use std::future::poll_fn;
use std::time::Duration;

use async_trait::async_trait;
use lineshift_domain::ids::{BulkChangeId, TenantId};
use lineshift_store::signals::{Signal, Signals};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{AbortHandle, JoinHandle};
use tokio_postgres::{AsyncMessage, Client, Connection, Error, NoTls};

use crate::address::Address;
use crate::transaction::CHANNEL;

/// Hints that nobody took yet; what comes beyond is lost, as any hint may be.
const KEPT: usize = 1_024;

/// How long to wait before connecting again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The hints of one database. Dropped, it listens no longer.
pub(crate) struct Notifications {
    hints: Receiver<Signal>,
    listening: AbortHandle,
}

impl Notifications {
    /// Listens from now on, on the threads that drive the store's connections; a connection may take `wait` until it can be used.
    pub(crate) fn listen(address: Address, wait: Duration, io: &Handle) -> Self {
        let (sender, hints) = channel(KEPT);
        let listening = io.spawn(listen(address, wait, sender)).abort_handle();
        Self { hints, listening }
    }
}

impl Drop for Notifications {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

#[async_trait]
impl Signals for Notifications {
    async fn next(&mut self) -> Signal {
        match self.hints.recv().await {
            Some(signal) => signal,
            // The store is being closed.
            None => std::future::pending().await,
        }
    }
}

async fn listen(address: Address, wait: Duration, hints: Sender<Signal>) {
    let mut pause = FIRST_PAUSE;
    loop {
        match tokio::time::timeout(wait, connect(&address, &hints)).await {
            Ok(Ok((client, mut driving))) => {
                tracing::debug!("listening to what other processes announce");
                pause = FIRST_PAUSE;
                if hints.send(Signal::Heard).await.is_err() {
                    return;
                }
                let why = (&mut driving.0).await.ok().flatten().map(|error| error.to_string()).unwrap_or_default();
                drop(client);
                tracing::warn!(why, "the connection that listens to other processes is lost; it is made anew");
                if hints.send(Signal::Deaf).await.is_err() {
                    return;
                }
            }
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "what other processes announce cannot be heard now");
            }
            Err(_) => tracing::warn!("what other processes announce cannot be heard now: the database does not answer"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Whoever drives a connection, until this is dropped; answers what ended it.
struct Driving(JoinHandle<Option<Error>>);

impl Drop for Driving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn connect(address: &Address, hints: &Sender<Signal>) -> Result<(Client, Driving), Error> {
    let config = &address.config;
    let (client, driving) = match &address.tls {
        Some(tls) => {
            let (client, connection) = config.connect(tls.clone()).await?;
            (client, drive(connection, hints.clone()))
        }
        None => {
            let (client, connection) = config.connect(NoTls).await?;
            (client, drive(connection, hints.clone()))
        }
    };
    client.batch_execute(&format!("LISTEN {CHANNEL}")).await?;
    Ok((client, driving))
}

fn drive<S, T>(mut connection: Connection<S, T>, hints: Sender<Signal>) -> Driving
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Driving(tokio::spawn(async move {
        loop {
            match poll_fn(|context| connection.poll_message(context)).await {
                Some(Ok(AsyncMessage::Notification(notification))) => {
                    if let Some(signal) = read(notification.payload()) {
                        // Nobody takes them fast enough: whoever is behind looks by itself.
                        let _ = hints.try_send(signal);
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Some(error),
                None => return None,
            }
        }
    }))
}

/// A hint as it is written; none: a later version writes others.
fn read(text: &str) -> Option<Signal> {
    let mut words = text.split(' ');
    let kind = words.next()?;
    let tenant = TenantId(words.next()?.parse().ok()?);
    match kind {
        "work" => Some(Signal::Work),
        "queue" => Some(Signal::Queue),
        "changed" => Some(Signal::Changed(tenant, BulkChangeId(words.next()?.parse().ok()?))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_read_and_what_is_unknown_is_passed_over() {
        assert_eq!(read("work 7"), Some(Signal::Work));
        assert_eq!(read("queue 7"), Some(Signal::Queue));
        assert_eq!(read("changed 7 12"), Some(Signal::Changed(TenantId(7), BulkChangeId(12))));
        for text in ["", "work", "work x", "changed 7", "changed 7 x", "rested 7"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
