//! How connections are taken: TLS, slow and oversized requests, who is believed to send them, and where accounts may be.

mod certificates;
mod clients;
mod destinations;
mod reload;
mod served;
mod slow;
mod tls;
