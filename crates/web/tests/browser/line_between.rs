//! The line between a browser and the server, which can be cut.

use std::sync::{Arc, OnceLock};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A line; what goes over it ends with this.
pub(crate) struct LineBetween {
    /// What a browser asks instead of the server, without a slash at the end.
    pub(crate) url: String,
    server: Arc<OnceLock<String>>,
    is_cut: watch::Sender<bool>,
}

impl LineBetween {
    /// To that server.
    pub(crate) async fn to(url: &str) -> Self {
        let line = Self::to_nobody().await;
        line.lay_to(url);
        line
    }

    /// To no server yet: whoever asks is not answered.
    pub(crate) async fn to_nobody() -> Self {
        let server = Arc::new(OnceLock::<String>::new());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (is_cut, cut) = watch::channel(false);
        let far = Arc::clone(&server);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let mut cut = cut.clone();
                let Some(server) = far.get().cloned().filter(|_| !*cut.borrow()) else { continue };
                tokio::spawn(async move {
                    tokio::select! {
                        () = carry(near, &server) => {}
                        _ = cut.wait_for(|cut| *cut) => {}
                    }
                });
            }
        });
        Self { url, server, is_cut }
    }

    /// From now on it leads to that server.
    pub(crate) fn lay_to(&self, url: &str) {
        self.server.set(url.strip_prefix("http://").expect("an address").to_owned()).expect("it leads nowhere yet");
    }

    /// Ends what goes over it, and lets nothing over it until it is mended.
    pub(crate) fn cut(&self) {
        self.is_cut.send_replace(true);
    }

    /// Lets everything over it again.
    pub(crate) fn mend(&self) {
        self.is_cut.send_replace(false);
    }
}

async fn carry(mut near: TcpStream, server: &str) {
    if let Ok(mut far) = TcpStream::connect(server).await {
        // Whoever closes first, the other hears of it.
        drop(copy_bidirectional(&mut near, &mut far).await);
    }
}
