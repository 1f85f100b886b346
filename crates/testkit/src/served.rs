//! A simulator behind real HTTP.

use std::sync::Arc;

use lineshift_engine::Clock;
use lineshift_simulators::revio::{Revio, RevioOptions, RevioSimulator, serve};
use lineshift_simulators::{Simulator, System};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::billing::{CLIENT_CODE, PASSWORD, USER};
use crate::clock::TestClock;
use crate::crash::block_on;
use crate::operator::BEGINNING;

/// A simulator behind real HTTP, on a thread of its own with a clock that really goes.
pub struct Served<S: System = Revio> {
    /// The simulator.
    pub simulator: Arc<Simulator<S>>,
    /// Its port of 127.0.0.1.
    pub port: u16,
    stop: oneshot::Sender<()>,
    thread: std::thread::JoinHandle<()>,
}

impl Served {
    /// Starts one of Rev.io.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn start() -> Self {
        Self::of(|clock| RevioSimulator::new(RevioOptions::new(USER, CLIENT_CODE, PASSWORD), clock))
    }
}

impl<S: System> Served<S> {
    /// Starts that one, which stands still at the beginning of time.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn of(make: impl FnOnce(Arc<dyn Clock>) -> Arc<Simulator<S>> + Send + 'static) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let (says, hears) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            block_on(async {
                let simulator = make(Arc::new(TestClock::at(BEGINNING)));
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
                let port = listener.local_addr().expect("a bound listener has an address").port();
                says.send((Arc::clone(&simulator), port)).expect("the test listens");
                serve(simulator, listener, async { drop(stopped.await) }).await.expect("the listener works");
            });
        });
        let (simulator, port) = hears.recv().expect("the server starts");
        Self { simulator, port, stop, thread }
    }

    /// The address that an account calls at Rev.io.
    #[must_use]
    pub fn address(&self) -> String {
        self.address_of("/v1")
    }

    /// The address that an account calls, with what all paths begin with.
    #[must_use]
    pub fn address_of(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Stops it; what it has stands.
    ///
    /// # Panics
    /// When it had panicked before.
    #[must_use]
    pub fn stop(self) -> Arc<Simulator<S>> {
        drop(self.stop);
        self.thread.join().expect("the server does not panic");
        self.simulator
    }
}
