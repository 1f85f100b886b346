//! Many processes on one PostgreSQL database, and everything that can befall them.

mod connections;
mod mixed_seeds;
mod processes;
mod servers;
