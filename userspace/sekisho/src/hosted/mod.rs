//! Hosted accounts beside the workers: where passwords are checked that take long ([`pool`]).

pub mod pool;
