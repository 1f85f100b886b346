//! How connections are taken: TLS, slow and oversized requests.

mod certificates;
mod reload;
mod served;
mod slow;
mod tls;
