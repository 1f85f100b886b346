//! Many processes on one PostgreSQL database, and everything that can befall them.

mod mixed_seeds;
mod processes;
mod servers;
