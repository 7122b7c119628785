//! Namespace harness, real peers, end-to-end tests.
