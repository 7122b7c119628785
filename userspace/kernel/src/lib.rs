//! Loads the XDP gate, keeps its tables, reads its counters, explains its failures.
