//! The program as people and scripts meet it: real processes, their output and their exit codes.

mod admin;
mod audit;
mod backup;
mod bench;
mod carriers;
mod client;
mod copy;
mod demo;
mod fleet;
mod integrations;
mod offline;
mod openid;
mod people;
mod personal_data;
mod program;
mod retention;
mod rotation;
mod secrets;
mod serve;
mod simulate;
mod tls;
mod worker;
