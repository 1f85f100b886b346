//! Statements, tuned for PostgreSQL.

lineshift_store::statements! {}
