//! How connections are taken: TLS, slow and oversized requests, and who is believed to send them.

mod certificates;
mod clients;
mod reload;
mod served;
mod slow;
mod tls;
