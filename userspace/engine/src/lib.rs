//! The proxy as a state machine: no sockets, no clock, no async.
